using PicoGpt.Architecture;

namespace PicoGpt;

/// <summary>The shape of a model as its files tell it.</summary>
/// <param name="HyperParameters">The shape.</param>
/// <param name="Assumption">What of it no file tells and was assumed, in a sentence that says why; <see langword="null"/> where nothing was.</param>
/// <param name="Config">The <c>config.json</c> that tells it, and whether the output projection is the embedding; <see langword="null"/> where none does.</param>
internal sealed record ModelShape(Gpt2HyperParameters HyperParameters, string? Assumption = null, string? Config = null);
