using PicoGpt.Files;

namespace PicoGpt.Tests;

/// <summary>A process that has begun to write a file and waits to be killed.</summary>
internal static class KilledWriter
{
    public const string Verb = "write";

    public static int Run(string[] args)
    {
        using var file = new OutputFile(args[1]);
        file.Write(new byte[100_000]);
        Console.WriteLine("written");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
}
