using System.Diagnostics;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Inference;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What stands before a first token: a whole process from its start to the token's first byte, in PowerShell beside one that does nothing, and
/// in a plain .NET program; and reading and verifying all weights, beside a plain read of their file. The files are in the system's cache.
/// </summary>
internal static class StartFigures
{
    /// <summary>The argument with which this program writes a model's first token and ends.</summary>
    public const string FirstTokenVerb = "first-token";

    private const string Prompt = "Once upon a time";
    private const int ChunkLength = 1 << 20;

    // As build.ps1 tells the tests: the command line of PowerShell, a line each, and the manifest of the module.
    private const string PowerShellVariable = "PICOGPT_TEST_POWERSHELL", ModuleVariable = "PICOGPT_TEST_MODULE";

    public static void Measure(TableOptions options, Dictionary<string, double> figures)
    {
        MeasureReading(options, figures);
        figures["first token in .NET, ms"] = FirstByte(["dotnet", typeof(StartFigures).Assembly.Location, FirstTokenVerb, options.Model, $"{options.Precision}"]);
        if (Environment.GetEnvironmentVariable(PowerShellVariable) is not { Length: > 0 } shell || Environment.GetEnvironmentVariable(ModuleVariable) is not { } module) return;
        string[] command = [.. shell.Split('\n'), "-NoProfile", "-NonInteractive", "-Command"];
        double bare = FirstByte([.. command, "'ready'"]);
        figures["PowerShell alone, ms"] = bare;
        figures["import, ms more"] = FirstByte([.. command, $"Import-Module '{module}'; 'ready'"]) - bare;
        figures["first token of 3M, ms more"] = Generate("3M") - bare;
        figures["first token, ms more"] = Generate($"-Path '{options.Model}' -Precision {options.Precision}") - bare;

        double Generate(string model) => FirstByte(
            [.. command, $"Import-Module '{module}'; (Get-Gpt2Model {model} | Invoke-Gpt2Generate -Prompt '{Prompt}' -MaxTokens 1 -Stream).Text"]);
    }

    /// <summary>Writes a model's first token.</summary>
    public static void WriteFirstToken(string model, Gpt2Precision precision)
    {
        using var opened = Gpt2Model.Open(model, precision: precision);
        foreach (string piece in new TextGeneration(opened, Prompt, new GenerationOptions { MaxTokens = 1 }).Stream()) Console.WriteLine(piece);
    }

    private static void MeasureReading(TableOptions options, Dictionary<string, double> figures)
    {
        string data;
        long start;
        using (TensorBundle warm = TensorBundle.Open(options.Model)) data = warm.GetShardPath(0);
        double plain = PlainRead(data, options.Threads);
        start = Stopwatch.GetTimestamp();
        using (TensorBundle bundle = TensorBundle.Open(options.Model)) bundle.VerifyAll();
        double all = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        figures["open and verify all, ms"] = all;
        figures["open and verify all, times a plain read"] = all / plain;
    }

    // Milliseconds for a share of the file each.
    private static double PlainRead(string path, int threads)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
        long length = RandomAccess.GetLength(file), start = Stopwatch.GetTimestamp();
        Parallel.For(0, threads, part =>
        {
            byte[] chunk = new byte[ChunkLength];
            long to = length * (part + 1) / threads;
            for (long at = length * part / threads; at < to; at += ChunkLength)
                _ = RandomAccess.Read(file, chunk.AsSpan(0, (int)Math.Min(ChunkLength, to - at)), at);
        });
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    // Milliseconds from the start of a process to the first byte that it writes.
    private static double FirstByte(string[] command)
    {
        var info = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true };
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(info)!;
        int first = process.StandardOutput.BaseStream.ReadByte();
        double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return first >= 0 && process.ExitCode == 0 ? time : throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}");
    }
}
