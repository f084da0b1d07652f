namespace PicoGpt.Inference;

/// <summary>A place of a pass and its name.</summary>
/// <param name="Name">The name, such as <c>h0/attn/q</c>.</param>
/// <param name="Site">What stands there.</param>
/// <param name="Layer">The layer, or <see cref="IForwardHook.NoLayer"/>.</param>
internal readonly record struct ActivationPlace(string Name, ActivationSite Site, int Layer);
