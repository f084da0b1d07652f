using PicoGpt.Architecture;
using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints;

/// <summary>What belongs to a model's weights, and is written with them: beside them, or into the same file.</summary>
/// <param name="HyperParameters">The shape.</param>
/// <param name="Encoder">The tokenizer; <see langword="null"/> where the model has none.</param>
/// <param name="DTypes">The types of the weights, each once.</param>
internal sealed record ModelFacts(Gpt2HyperParameters HyperParameters, Tokenizer? Encoder, IReadOnlyList<TensorDType> DTypes)
{
    /// <summary>The ids with which the model's texts begin and end; none where it has no tokenizer.</summary>
    public SpecialIds SpecialIds { get; init; } = new(null, []);
}
