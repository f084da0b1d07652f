using PicoGpt.Architecture;
using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints;

/// <summary>What belongs to a model's weights, and is written with them: beside them, or into the same file.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="HyperParameters">The shape.</param>
/// <param name="Encoder">The tokenizer; <see langword="null"/> where the model has none.</param>
/// <param name="DTypes">The types in which the weights are written, each once.</param>
internal sealed record ModelFacts(string Name, Gpt2HyperParameters HyperParameters, Tokenizer? Encoder, IReadOnlyList<TensorDType> DTypes)
{
    /// <summary>The ids with which the model's texts begin and end; none where it has no tokenizer.</summary>
    public SpecialIds SpecialIds { get; init; } = new(null, []);
}
