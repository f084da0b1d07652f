using PicoGpt.Inference;

namespace PicoGpt.Circuits;

/// <summary>What one run of a sweep takes from the other text: some columns of some positions at a site of a layer.</summary>
internal readonly record struct Patch(ActivationSite Site, int Layer, int Position, int Positions, int Column, int Columns);
