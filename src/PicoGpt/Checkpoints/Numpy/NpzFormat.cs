using PicoGpt.Architecture;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Numpy;

/// <summary>NumPy's archive of arrays, with the names of picoGPT's tree: <c>blocks/0/attn/c_attn/w</c>.</summary>
internal sealed class NpzFormat : WritableFormat
{
    public override string Name => "Npz";

    public override string FolderMark => $"a single '{Extension}'";

    public override string FileMark => $"an '{Extension}' file";

    public override string WeightsName => "model.npz";

    public override string Extension => Npz.Extension;

    public override WeightNaming Naming => WeightNaming.PicoGpt;

    public override string? FindIn(string folder) => OnlyOne(folder, "*" + Npz.Extension);

    public override bool HasName(string path) => HasEnd(path, Npz.Extension);

    public override bool HasContent(string path, ReadOnlySpan<byte> start) =>
        Zip.FirstName(start) is { } name && name.EndsWith(Npz.EntryExtension, StringComparison.Ordinal);

    public override ITensorSource Open(string path, CancellationToken cancellationToken = default) => MappedSource.Open(path, Npz.ListTensors, cancellationToken);

    public override IReadOnlyList<Gpt2Precision> Precisions => [Gpt2Precision.Float32, Gpt2Precision.Float16];

    public override TensorDType TypeOf(TensorDType dtype) => NpyHeader.Knows(dtype) ? dtype : TensorDType.Float32;

    // A config.json tells what an hparams.json cannot.
    public override IEnumerable<(string Name, byte[] Content)> Companions(ModelFacts model) =>
        HuggingFaceConfig.BeyondOpenAI(model.HyperParameters).Any()
            ? [ConfigOf(model), .. VocabularyOf(model)]
            : base.Companions(model);

    public override ITensorWriter Create(string weightsPath, IReadOnlyList<TensorDescription> tensors, ModelFacts? model, WriteMeter meter) =>
        new NpzWriter(weightsPath, meter);
}
