namespace PicoGpt.PowerShell.Tests;

public enum PesterOutcome
{
    Failed,
    Passed,
    Skipped,
}
