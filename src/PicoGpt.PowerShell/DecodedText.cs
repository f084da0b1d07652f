using System.ComponentModel;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>
/// A text that a model's vocabulary makes, as a string of the pipeline. A terminal gets it with all spelled out that would command it or
/// hide in it; files, strings and other programs get every character as it is.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class DecodedText
{
    // Behind the names of a string's own types: to all that asks it is a string.
    private const string TypeName = "PicoGpt.DecodedText";

    /// <summary>A text for the pipeline.</summary>
    /// <param name="text">The text.</param>
    /// <returns>A string, with what <c>PicoGpt.Types.ps1xml</c> has for this type.</returns>
    public static PSObject Of(string text)
    {
        var item = new PSObject(text);
        item.TypeNames.Add(TypeName);
        return item;
    }

    /// <summary>What PowerShell asks for where it prints the object.</summary>
    /// <param name="text">Such a string.</param>
    /// <returns>The string; on its way to a terminal, what may go there.</returns>
    public static string ToString(PSObject text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string whole = (string)text.BaseObject;
        return Screen.IsTerminal ? VisibleText.Printable(whole) : whole;
    }
}
