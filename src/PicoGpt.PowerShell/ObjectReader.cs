using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Reads properties of objects that may be from another session, where they have lost their types.</summary>
internal static class ObjectReader
{
    /// <summary>What a value is without what PowerShell wraps it in.</summary>
    public static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The full name of the type of ours that an object had in the session that it came from; <see langword="null"/> of anything else.</summary>
    public static string? TypeElsewhere(object? value)
    {
        const string Prefix = "Deserialized.";
        return value is PSObject { BaseObject: PSCustomObject } given && given.TypeNames.FirstOrDefault() is { } name && name.StartsWith(Prefix + "PicoGpt.", StringComparison.Ordinal)
            ? name[Prefix.Length..]
            : null;
    }

    /// <summary>The items of a list that an object has.</summary>
    public static IEnumerable<PSObject> Items(PSObject owner, string property) =>
        owner.Properties[property]?.Value is { } value ? Items(PSObject.AsPSObject(value)) : [];

    /// <summary>The items of a list, without those that are null.</summary>
    public static IEnumerable<PSObject> Items(PSObject list) => list.BaseObject is IEnumerable items
        ? items.Cast<object?>().Where(item => item is not null).Select(PSObject.AsPSObject)
        : [];

    /// <summary>A property that is a text; empty where it is not one.</summary>
    public static string Text(PSObject owner, string property) => owner.Properties[property]?.Value?.ToString() ?? "";

    /// <summary>A property that is a number, if it is one.</summary>
    public static double? Number(PSObject owner, string property) =>
        owner.Properties[property]?.Value is { } value ? Number(PSObject.AsPSObject(value)) : null;

    /// <summary>A number.</summary>
    public static double Number(PSObject value) => Convert.ToDouble(value.BaseObject, CultureInfo.InvariantCulture);
}
