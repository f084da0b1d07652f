using System.Diagnostics;
using System.Text;
using PicoGpt.Cli;

namespace PicoGpt.Tests.Cli;

/// <summary>The command line as a process of its own.</summary>
internal static class ChildCommandLine
{
    public const string Verb = "picogpt";

    /// <summary>Runs it to its end, and gives what it says: its output, and then its errors.</summary>
    /// <param name="input">What it gets by a pipe, in UTF-8.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InvalidOperationException">It did not end well.</exception>
    public static async Task<string> RunAsync(string input, params string[] arguments)
    {
        ProcessStartInfo start = ChildProcess.StartInfo([Verb, .. arguments]);
        start.RedirectStandardInput = true;
        start.StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        start.StandardOutputEncoding = start.StandardErrorEncoding = Encoding.UTF8;
        using Process process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string said = await process.StandardOutput.ReadToEndAsync() + await error;
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said.ReplaceLineEndings("\n") : throw new InvalidOperationException(said);
    }

    public static int Run(string[] args) => (int)typeof(CommandLine).Assembly.EntryPoint!.Invoke(null, [args[1..]])!;
}
