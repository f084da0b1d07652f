namespace PicoGpt.Fuzz;

/// <summary>A case that ended as none may.</summary>
/// <param name="Target">Whose it is.</param>
/// <param name="Case">Its number.</param>
/// <param name="What">What happened.</param>
/// <param name="Mutant">The files with which it happened.</param>
internal sealed record FuzzFind(string Target, ulong Case, string What, Mutant Mutant);
