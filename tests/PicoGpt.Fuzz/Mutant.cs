namespace PicoGpt.Fuzz;

/// <summary>Files as an attacker would have them.</summary>
/// <param name="Files">The changed ones, by name.</param>
/// <param name="IsCovered">
/// Whether a checksum that was not repaired covers every change: then the answer is that of the good files, or a refusal.
/// </param>
internal sealed record Mutant(IReadOnlyList<(string Name, byte[] Bytes)> Files, bool IsCovered);
