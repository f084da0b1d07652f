using PicoGpt.Architecture;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>TensorFlow's V2 checkpoint, with the names of OpenAI's code: <c>model/h0/attn/c_attn/w</c>.</summary>
internal sealed class TensorFlowFormat : WritableFormat
{
    public override string Name => "TensorFlow";

    public override string FolderMark => $"a file named '{CheckpointState.FileName}' or one that ends in '{BundlePath.IndexSuffix}'";

    public override string FileMark => $"the '{BundlePath.IndexSuffix}', '.data-…' or '{CheckpointState.FileName}' file of a TensorFlow checkpoint";

    public override string WeightsName => "model.ckpt";

    public override string Extension => ".ckpt";

    public override WeightNaming Naming => WeightNaming.TensorFlow;

    public override string? FindIn(string folder) => BundlePath.IsFolder(folder) ? folder : null;

    public override bool HasName(string path) => BundlePath.IsNamed(path);

    public override bool HasContent(string path, ReadOnlySpan<byte> start) => SortedTable.IsTable(path);

    public override ITensorSource Open(string path, CancellationToken cancellationToken = default) => TensorBundle.Open(path, cancellationToken);

    // OpenAI's code has variables of float32, into which nothing else is restored.
    public override TensorDType TypeOf(TensorDType dtype) => dtype == TensorDType.Float64 ? dtype : TensorDType.Float32;

    // OpenAI's code keeps projections as 1-D convolutions of width 1: [1, in, out].
    public override TensorShape ShapeOf(string weight, TensorShape shape) =>
        weight.EndsWith("/w", StringComparison.Ordinal) ? new TensorShape(1, shape[0], shape[1]) : shape;

    // TensorFlow's Saver sorts by name.
    public override int Compare(TensorDescription left, TensorDescription right) => string.CompareOrdinal(left.Name, right.Name);

    public override IReadOnlyList<string> FilesOf(string weightsPath) =>
    [
        ShardName.Of(weightsPath, 0, 1),
        BundlePath.IndexFile(weightsPath),
        Path.Combine(Path.GetDirectoryName(weightsPath)!, CheckpointState.FileName),
    ];

    public override IEnumerable<(string Name, byte[] Content)> Companions(ModelFacts model)
    {
        string beyond = string.Join(", ", HuggingFaceConfig.BeyondOpenAI(model.HyperParameters));
        return beyond.Length == 0 ? base.Companions(model) : throw new Gpt2Exception(
            Gpt2Error.Unsupported,
            $"The model has {beyond}, which OpenAI's {Gpt2HyperParameters.FileName} has no place for; export it as Safetensors or Npz.");
    }

    /// <summary>The files of a folder in which a model is trained: whatever its shape is, a <c>config.json</c> tells what OpenAI's file cannot.</summary>
    public IEnumerable<(string Name, byte[] Content)> TrainingCompanions(ModelFacts model) =>
        HuggingFaceConfig.BeyondOpenAI(model.HyperParameters).Any() ? base.Companions(model).Append(ConfigOf(model)) : base.Companions(model);

    public override ITensorWriter Create(string weightsPath, IReadOnlyList<TensorDescription> tensors, ModelFacts? model, WriteMeter meter) =>
        new TensorBundleWriter(weightsPath, options: null, meter);
}
