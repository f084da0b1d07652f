using System.Diagnostics;

namespace PicoGpt.Tests;

/// <summary>Starts this program again, to do some work that may end a process.</summary>
internal static class ChildProcess
{
    /// <summary>The program and its first arguments: a self-contained build starts itself, any other what runs it.</summary>
    public static string[] Command { get; } = OwnName == Path.GetFileNameWithoutExtension(Assembly)
        ? [Environment.ProcessPath!]
        : [Environment.ProcessPath!, Assembly];

    private static string Assembly => typeof(ChildProcess).Assembly.Location;

    // Only Windows' programs have an ending; "PicoGpt.Tests" is a name as it stands.
    private static string OwnName => Path.GetFileName(Environment.ProcessPath!) is var name && name.EndsWith(".exe", StringComparison.OrdinalIgnoreCase) ? name[..^4] : name;

    /// <param name="arguments">What it is to do, see <see cref="Program"/>.</param>
    public static Process Start(params IEnumerable<string> arguments) => Process.Start(StartInfo(arguments))!;

    /// <param name="arguments">What it is to do.</param>
    public static ProcessStartInfo StartInfo(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in Command.Skip(1).Concat(arguments)) start.ArgumentList.Add(argument);
        return start;
    }
}
