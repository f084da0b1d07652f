using PicoGpt.Architecture;

namespace PicoGpt;

/// <summary>The shape of a model as its files tell it.</summary>
/// <param name="HyperParameters">The shape.</param>
/// <param name="Assumption">What of it no file tells and was assumed, in a sentence that says why; <see langword="null"/> where nothing was.</param>
internal sealed record ModelShape(Gpt2HyperParameters HyperParameters, string? Assumption = null);
