using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Checkpoints.Safetensors;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt.Exporting;

/// <summary>What is particular to a format: names, shapes and types of the tensors, and the files that go with them.</summary>
internal abstract class ExportTarget
{
    /// <summary>The name of the weights' file, or of the prefix of their files, in a model's folder.</summary>
    public abstract string WeightsName { get; }

    /// <summary>What the path of a file of this format ends in.</summary>
    public abstract string Extension { get; }

    /// <summary>How tensors are named.</summary>
    public abstract WeightNaming Naming { get; }

    /// <summary>The names of the vocabulary's files.</summary>
    public virtual (string Encoder, string Merges) VocabularyNames => (BytePairEncoder.EncoderFile, BytePairEncoder.MergesFile);

    public static ExportTarget Of(ModelFormat format) => format switch
    {
        ModelFormat.Npz => new NpzTarget(),
        ModelFormat.Safetensors => new SafetensorsTarget(),
        ModelFormat.TensorFlow => new TensorFlowTarget(),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no such format"),
    };

    /// <summary>The type in which elements of a type are written: their own, or a wider one that holds each of them exactly.</summary>
    public virtual TensorDType TypeOf(TensorDType dtype) => dtype;

    /// <summary>The shape in which a weight is written.</summary>
    public virtual TensorShape ShapeOf(Gpt2Weight weight) => new([.. weight.Shape.Select(length => (long)length)]);

    /// <summary>The order in which the weights are written.</summary>
    public virtual IEnumerable<Gpt2Weight> Order(IEnumerable<Gpt2Weight> weights) => weights;

    /// <summary>The full paths of all files that weights at a path take.</summary>
    public virtual IReadOnlyList<string> FilesOf(string weightsPath) => [weightsPath];

    /// <summary>The file that tells the model's shape.</summary>
    public virtual (string Name, byte[] Content) ShapeFile(Gpt2Model model) => (Gpt2HyperParameters.FileName, model.HyperParameters.ToJson());

    /// <summary>Starts writing.</summary>
    public abstract ITensorWriter Create(
        string weightsPath, IReadOnlyList<(string Name, TensorDType DType, TensorShape Shape)> tensors, WriteMeter meter);

    private sealed class NpzTarget : ExportTarget
    {
        public override string WeightsName => "model.npz";

        public override string Extension => Npz.Extension;

        public override WeightNaming Naming => WeightNaming.PicoGpt;

        public override TensorDType TypeOf(TensorDType dtype) => NpyHeader.Knows(dtype) ? dtype : TensorDType.Float32;

        public override ITensorWriter Create(
            string weightsPath, IReadOnlyList<(string Name, TensorDType DType, TensorShape Shape)> tensors, WriteMeter meter) =>
            new NpzWriter(weightsPath, meter);
    }

    private sealed class SafetensorsTarget : ExportTarget
    {
        public override string WeightsName => Safetensors.FileName;

        public override string Extension => Safetensors.Extension;

        public override WeightNaming Naming => WeightNaming.HuggingFace;

        public override (string Encoder, string Merges) VocabularyNames =>
            (BytePairEncoder.HuggingFaceEncoderFile, BytePairEncoder.HuggingFaceMergesFile);

        public override IEnumerable<Gpt2Weight> Order(IEnumerable<Gpt2Weight> weights) =>
            weights.OrderByDescending(weight => weight.DType.ElementSize());

        public override (string Name, byte[] Content) ShapeFile(Gpt2Model model)
        {
            int? endOfText = model.VocabularyFiles is null ? null : model.Encoder.EndOfText;
            TensorDType[] types = [.. model.Parameters.Select(weight => weight.DType).Distinct()];
            TensorDType dtype = types.Length == 1 ? types[0] : TensorDType.Float32;
            return (HuggingFaceConfig.FileName, HuggingFaceConfig.Format(model.HyperParameters, endOfText, dtype.DisplayName()));
        }

        public override ITensorWriter Create(
            string weightsPath, IReadOnlyList<(string Name, TensorDType DType, TensorShape Shape)> tensors, WriteMeter meter) =>
            new SafetensorsWriter(weightsPath, tensors, meter);
    }

    private sealed class TensorFlowTarget : ExportTarget
    {
        public override string WeightsName => "model.ckpt";

        public override string Extension => ".ckpt";

        public override WeightNaming Naming => WeightNaming.TensorFlow;

        // OpenAI's code has variables of float32, into which nothing else is restored.
        public override TensorDType TypeOf(TensorDType dtype) => dtype == TensorDType.Float64 ? dtype : TensorDType.Float32;

        // OpenAI's code keeps projections as 1-D convolutions of width 1: [1, in, out].
        public override TensorShape ShapeOf(Gpt2Weight weight) =>
            weight.Leaf.Kind == Gpt2LeafKind.Projection ? new TensorShape(1, weight.Shape[0], weight.Shape[1]) : base.ShapeOf(weight);

        // TensorFlow's Saver sorts by name.
        public override IEnumerable<Gpt2Weight> Order(IEnumerable<Gpt2Weight> weights) => weights.OrderBy(weight => weight.Name, StringComparer.Ordinal);

        public override IReadOnlyList<string> FilesOf(string weightsPath) =>
        [
            BundlePath.ShardFile(weightsPath, 0, 1),
            BundlePath.IndexFile(weightsPath),
            Path.Combine(Path.GetDirectoryName(weightsPath)!, CheckpointState.FileName),
        ];

        public override ITensorWriter Create(
            string weightsPath, IReadOnlyList<(string Name, TensorDType DType, TensorShape Shape)> tensors, WriteMeter meter) =>
            new TensorBundleWriter(weightsPath, options: null, meter);
    }
}
