using System.Diagnostics;
using Xunit;

namespace PicoGpt.Tests.Exporting;

/// <summary>Python with NumPy, where this machine has it.</summary>
internal static class NumPy
{
    // Debian's package belongs to Debian's own interpreter, which another may hide.
    private static readonly string? Interpreter = Array.Find(["python3", "/usr/bin/python3", "python"], Works);

    /// <summary>Runs a script and gives what it writes; skips the calling test where NumPy is not here.</summary>
    public static string Run(string script, params string[] arguments)
    {
        Assert.SkipWhen(Interpreter is null, "no Python with NumPy is here");
        (int exitCode, string output, string error) = Start(Interpreter!, ["-c", script, .. arguments]);
        Assert.True(exitCode == 0, error);
        return output;
    }

    private static bool Works(string interpreter)
    {
        try
        {
            return Start(interpreter, ["-c", "import numpy"]).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static (int ExitCode, string Output, string Error) Start(string file, IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
