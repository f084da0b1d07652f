using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PicoGpt.PowerShell.Tests;

/// <summary>A run of all Pester tests, in a real PowerShell.</summary>
internal static class PesterRun
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    private static string Root => Fact("RepositoryRoot");

    /// <summary>Runs the tests and gives their results.</summary>
    /// <exception cref="InvalidOperationException">They did not run.</exception>
    public static PesterResult[] Start()
    {
        string results = Path.GetTempFileName();
        try
        {
            using Process process = Process.Start(PowerShell(
                "-NoProfile", "-NonInteractive", "-File", $"{Root}tests/PicoGpt.PowerShell.Tests/Invoke-Tests.ps1", "-Pester", Fact("Pester"), "-Results", results))!;
            process.StandardInput.Close();
            Task<string> error = process.StandardError.ReadToEndAsync();
            string said = process.StandardOutput.ReadToEnd() + error.Result;
            process.WaitForExit();
            PesterResult[] found = process.ExitCode == 0 ? JsonSerializer.Deserialize<PesterResult[]>(File.ReadAllText(results), Json)! : [];
            return found.Length > 0 ? found : throw new InvalidOperationException($"Pester did not run (exit code {process.ExitCode}): {said}");
        }
        finally
        {
            File.Delete(results);
        }
    }

    // The PowerShell that build.ps1 runs in; otherwise the one of the tool manifest.
    private static ProcessStartInfo PowerShell(params string[] arguments)
    {
        string[] command = Environment.GetEnvironmentVariable("PICOGPT_TEST_POWERSHELL") is { Length: > 0 } own ? own.Split('\n') : ["dotnet", "tool", "run", "pwsh", "--"];
        return new ProcessStartInfo(command[0], [.. command[1..], .. arguments])
        {
            WorkingDirectory = Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }

    private static string Fact(string key) =>
        Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().First(fact => fact.Key == key).Value!;
}
