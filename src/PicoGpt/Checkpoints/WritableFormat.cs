using PicoGpt.Architecture;
using PicoGpt.Files;
using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints;

/// <summary>A format that is written too: names, shapes and types of the tensors, and the files that go with them.</summary>
internal abstract class WritableFormat : CheckpointFormat
{
    /// <summary>The name of the weights' file, or of the prefix of their files, in a model's folder.</summary>
    public abstract string WeightsName { get; }

    /// <summary>What the path of the weights ends in.</summary>
    public abstract string Extension { get; }

    /// <summary>How tensors are named.</summary>
    public abstract WeightNaming Naming { get; }

    /// <summary>The precisions in which weights can be written.</summary>
    public virtual IReadOnlyList<Gpt2Precision> Precisions => [Gpt2Precision.Float32, Gpt2Precision.Float16, Gpt2Precision.BFloat16];

    /// <summary>
    /// The type in which elements of a type are written where none is asked for: their own, or a wider one that holds each of them exactly.
    /// </summary>
    public virtual TensorDType TypeOf(TensorDType dtype) => dtype;

    /// <summary>How a weight is written.</summary>
    /// <param name="weight">Its name in the tree.</param>
    /// <param name="dtype">Its type.</param>
    /// <param name="shape">Its shape in the tree.</param>
    /// <param name="precision">One of <see cref="Precisions"/>; <see langword="null"/> where none is asked for.</param>
    public virtual TensorDescription Describe(string weight, TensorDType dtype, TensorShape shape, Gpt2Precision? precision) =>
        new(Naming.Of(weight), TypeOf(dtype, precision), ShapeOf(weight, shape));

    /// <summary>The shape in which a weight is written.</summary>
    /// <param name="weight">Its name in the tree.</param>
    /// <param name="shape">Its shape there.</param>
    public virtual TensorShape ShapeOf(string weight, TensorShape shape) => shape;

    /// <summary>The order in which two tensors are written; 0 where it is that of the tree.</summary>
    public virtual int Compare(TensorDescription left, TensorDescription right) => 0;

    /// <summary>The full paths of all files that weights at a path take.</summary>
    public virtual IReadOnlyList<string> FilesOf(string weightsPath) => [weightsPath];

    /// <summary>The files that make a folder with the weights a model: by OpenAI's names, unless the format has its own.</summary>
    /// <exception cref="Gpt2Exception">The format has no place for what the model is.</exception>
    public virtual IEnumerable<(string Name, byte[] Content)> Companions(ModelFacts model) =>
        [(Gpt2HyperParameters.FileName, model.HyperParameters.ToJson()), .. VocabularyOf(model), .. EndsOf(model)];

    /// <summary>Starts writing.</summary>
    /// <param name="weightsPath">The full path of the weights.</param>
    /// <param name="tensors">The tensors, in the order in which they come.</param>
    /// <param name="model">What goes with them; <see langword="null"/> where they are a part of a model.</param>
    /// <param name="meter">What counts the bytes of the tensors.</param>
    public abstract ITensorWriter Create(string weightsPath, IReadOnlyList<TensorDescription> tensors, ModelFacts? model, WriteMeter meter);

    /// <summary>The type that is asked for, or else that of <see cref="TypeOf(TensorDType)"/>.</summary>
    protected TensorDType TypeOf(TensorDType dtype, Gpt2Precision? precision) => precision switch
    {
        Gpt2Precision.Float32 => TensorDType.Float32,
        Gpt2Precision.Float16 => TensorDType.Float16,
        Gpt2Precision.BFloat16 => TensorDType.BFloat16,
        _ => TypeOf(dtype),
    };

    /// <summary>Hugging Face's file of the shape.</summary>
    protected static (string Name, byte[] Content) ConfigOf(ModelFacts model)
    {
        TensorDType dtype = model.DTypes is [TensorDType only] ? only : TensorDType.Float32;
        return (HuggingFaceConfig.FileName, HuggingFaceConfig.Format(model.HyperParameters, json => GenerationConfig.Write(json, model.SpecialIds), dtype.DisplayName()));
    }

    /// <summary>The vocabulary by OpenAI's names.</summary>
    protected static IEnumerable<(string Name, byte[] Content)> VocabularyOf(ModelFacts model) => model.Encoder?.FilesFor(VocabularyLayout.OpenAI) ?? [];

    // OpenAI's files have no place for the ids with which texts begin and end, where they are not those of <|endoftext|>.
    private static IEnumerable<(string Name, byte[] Content)> EndsOf(ModelFacts model)
    {
        int? endOfText = model.Encoder?.EndOfText;
        bool isPlain = model.Encoder is null || (model.SpecialIds.Begin == endOfText && model.SpecialIds.Ends.SequenceEqual(endOfText is { } id ? [id] : []));
        return isPlain ? [] : [(GenerationConfig.FileName, GenerationConfig.Format(model.SpecialIds))];
    }
}
