namespace PicoGpt.PowerShell.Tests;

/// <summary>What came of a Pester test.</summary>
/// <param name="Name">Its file, its blocks and its own name.</param>
/// <param name="Outcome">Whether it passed, failed or was skipped.</param>
/// <param name="Message">Why it failed or was skipped.</param>
public sealed record PesterResult(string Name, PesterOutcome Outcome, string? Message);
