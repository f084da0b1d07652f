using Xunit;

namespace PicoGpt.PowerShell.Tests;

/// <summary>Every Pester test of this folder, as a test of its own.</summary>
public static class PesterTests
{
    // PowerShell runs once, for all of them, and not before tests are run.
    [Theory]
    [MemberData(nameof(RunPester), DisableDiscoveryEnumeration = true)]
    public static void Pester(PesterResult result) => Assert.True(result.Outcome == PesterOutcome.Passed, result.Message);

    public static IEnumerable<TheoryDataRow<PesterResult>> RunPester() => PesterRun.Start().Select(result => new TheoryDataRow<PesterResult>(result)
    {
        TestDisplayName = result.Name,
        Label = "", // the name says it all
        Skip = result.Outcome == PesterOutcome.Skipped ? result.Message : null,
    });
}
