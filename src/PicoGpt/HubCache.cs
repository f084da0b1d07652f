namespace PicoGpt;

/// <summary>The folders of Hugging Face's cache: <c>models--me--tiny/snapshots/5f91d94</c>.</summary>
internal static class HubCache
{
    /// <summary>The folder of a model's snapshots.</summary>
    public const string Snapshots = "snapshots";

    /// <summary>The model's name without its owner's, by the folder that is its own; <see langword="null"/> where it is not of the cache.</summary>
    public static string? ModelOf(string? folder) => Path.GetFileName(folder)?.Split("--") is ["models", .., { Length: > 0 } model] ? model : null;
}
