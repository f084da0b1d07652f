using PicoGpt.Inference;

namespace PicoGpt.Circuits;

/// <summary>Which logit is taken apart, of which model.</summary>
public sealed record LogitAttributionOptions : AttributionOptions
{
    /// <summary>What is done, in this order, to what passes through; what they add to the logit is a part by itself.</summary>
    public IReadOnlyList<ForwardChange> Interventions { get; init; } = [];
}
