namespace PicoGpt.Fuzz;

/// <summary>A case that ended as none may.</summary>
/// <param name="Target">Whose it is.</param>
/// <param name="Case">Its number: the same number makes the same mutant.</param>
/// <param name="What">What happened.</param>
internal sealed record FuzzFind(string Target, ulong Case, string What);
