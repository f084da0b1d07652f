using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>What to type to go on with a command that was stopped.</summary>
internal static class ContinuedCommand
{
    /// <summary>The command as it was typed, with a switch more.</summary>
    /// <param name="invocation">How it was called.</param>
    /// <param name="name">The name of the switch.</param>
    public static string Of(InvocationInfo invocation, string name)
    {
        string command = invocation.MyCommand.Name;
        string typed = PSObject.AsPSObject(invocation).Properties["Statement"]?.Value as string is { Length: > 0 } whole ? whole : invocation.Line;
        int at = typed.IndexOf(invocation.InvocationName, StringComparison.OrdinalIgnoreCase);
        if (at < 0 || invocation.InvocationName.Length == 0) return $"{command} -{name}, and the same parameters";
        if (typed.Contains($"-{name}", StringComparison.OrdinalIgnoreCase)) return typed.Trim();
        int end = at + invocation.InvocationName.Length;
        return $"{typed[..end]} -{name}{typed[end..]}".Trim();
    }
}
