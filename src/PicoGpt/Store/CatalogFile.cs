namespace PicoGpt.Store;

/// <summary>A file of a published model.</summary>
/// <param name="Name">Its name, OpenAI's.</param>
/// <param name="Size">Its exact size in bytes, or <see langword="null"/> where it is not known for certain.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hexadecimal, or <see langword="null"/> where no source is sure enough.</param>
public sealed record CatalogFile(string Name, long? Size, string? Sha256);
