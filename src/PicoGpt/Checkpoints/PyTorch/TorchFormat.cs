using PicoGpt.Files;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>PyTorch's state dictionaries, in one file or several.</summary>
internal sealed class TorchFormat : CheckpointFormat
{
    private const string FileName = "pytorch_model.bin";
    private const string IndexFileName = FileName + IndexExtension;
    private const string IndexExtension = ".index.json";

    private static readonly string[] TrainingNames = ["optimizer", "scheduler", "scaler", "rng_state"];

    public override string Name => "PyTorch";

    public override string FolderMark => $"a {FileName}";

    public override string FileMark => "a '.bin', '.pt', '.pth' or '.ckpt' file";

    // Hugging Face's; nanoGPT's; and what another program left, where it is the only one.
    public override string? FindIn(string folder) =>
        FirstIn(folder, FileName, IndexFileName, "ckpt.pt") ?? OnlyOne(folder, "*.pt", "*.pth", "*.ckpt", "*.bin");

    public override bool HasName(string path) => HasEnd(path, IndexFileName, ".bin", ".pt", ".pth", ".ckpt") && !IsOfTraining(Path.GetFileName(path));

    // What Hugging Face's Trainer keeps of a run beside its weights.
    private static bool IsOfTraining(string name) =>
        name == "training_args.bin" || TrainingNames.Any(start => name.StartsWith(start, StringComparison.Ordinal) && HasEnd(name, ".pt", ".pth", ".bin"));

    // Other programs' files end in these too.
    protected override bool IsOneOf(string path) => !HasEnd(path, ".ckpt", ".bin") || HasContent(path, ReadableFile.ReadStart(path, ForeignWeights.InspectedLength));

    public override bool HasContent(string path, ReadOnlySpan<byte> start) =>
        TorchLegacyFile.IsOne(start) || (Zip.FirstName(start) is { } name && name.EndsWith(TorchArchive.PickleName, StringComparison.Ordinal));

    public override ITensorSource Open(string path, CancellationToken cancellationToken = default) => HasEnd(path, IndexExtension)
        ? MappedSource.OpenSharded(path, TorchArchive.ListTensors, cancellationToken)
        : TorchSource.Open(path, cancellationToken);
}
