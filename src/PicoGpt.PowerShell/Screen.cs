using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace PicoGpt.PowerShell;

/// <summary>
/// Where a view goes: how wide that is, and whether it shows colours and moves its cursor. A view may call no method where the session's
/// language is constrained, so that it is asked here and not there.
/// </summary>
internal static class Screen
{
    /// <summary>How wide lines are where nothing tells it.</summary>
    public const int WidthOfNoScreen = 80;

    /// <summary>The environment variable that says how wide lines may be, for whoever reads them elsewhere.</summary>
    private const string WidthVariable = "COLUMNS";

    /// <summary>Columns of the screen, or what <c>COLUMNS</c> says.</summary>
    public static int Width
    {
        get
        {
            if (int.TryParse(Environment.GetEnvironmentVariable(WidthVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int wanted) && wanted > 0) return wanted;
            try
            {
                return Variable<PSHost>("Host")?.UI?.RawUI?.BufferSize.Width is > 0 and int width ? width : WidthOfNoScreen;
            }
            catch (Exception fault) when (IsLackOfScreen(fault))
            {
                return WidthOfNoScreen;
            }
        }
    }

    /// <summary>Whether an exception says that the host has no screen; hosts say it in several ways.</summary>
    public static bool IsLackOfScreen(Exception fault) => fault is HostException or IOException or NotImplementedException or InvalidOperationException;

    /// <summary>Whether colours arrive: PowerShell takes them away in plain text, and by default on the way to a file.</summary>
    public static bool HasColours => RenderingOf() switch
    {
        "Ansi" => true,
        "PlainText" => false,
        _ => IsTerminal,
    };

    /// <summary>
    /// Whether what is being formatted goes to a terminal at once. Nothing tells a view where it goes but the commands that call it: those
    /// that write to the host, and not those that write to a file or a string. Of Out-Host only what it shares with those is called.
    /// </summary>
    public static bool IsTerminal
    {
        get
        {
            if (Console.IsOutputRedirected) return false;
            HashSet<string?> callers = [.. new StackTrace(fNeedFileInfo: false).GetFrames().Select(frame => frame.GetMethod()?.DeclaringType?.Name)];
            return callers.Contains("OutDefaultCommand") || (callers.Contains("OutCommandInner") && !callers.Overlaps(["OutFileCommand", "OutStringCommand"]));
        }
    }

    private static string? RenderingOf() => Variable<object>("PSStyle") is { } style ? PSObject.AsPSObject(style).Properties["OutputRendering"]?.Value?.ToString() : null;

    private static T? Variable<T>(string name)
        where T : class
    {
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand("Get-Variable").AddParameter("Name", name).AddParameter("ValueOnly");
        return shell.Invoke().FirstOrDefault()?.BaseObject as T;
    }
}
