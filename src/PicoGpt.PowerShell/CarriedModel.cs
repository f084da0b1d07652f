namespace PicoGpt.PowerShell;

/// <summary>How a model was open in the session that it came from.</summary>
/// <param name="Precision">Its precision, by name: a value of the engine's type would load the engine before it can be found.</param>
/// <param name="HeadCount">The number of heads, where it was told and not assumed.</param>
/// <param name="Adapter">The folder of its adapter, if it had one.</param>
internal sealed record CarriedModel(string? Precision, int? HeadCount, string? Adapter);
