using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>
/// Lets a parameter be a column of a table: an empty cell counts as a parameter that was not given, of which PowerShell would make 0; and
/// a cell that is not of the parameter's kind is an error, which PowerShell would ignore.
/// </summary>
/// <param name="kind">What the parameter holds.</param>
/// <param name="blank">What the parameter has where it is not given.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class CellAttribute(Type kind, object? blank = null) : ArgumentTransformationAttribute
{
    /// <summary>What the parameter holds.</summary>
    public Type Kind => kind;

    /// <summary>What the parameter has where it is not given.</summary>
    public object? Blank => blank;

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        if ((inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is null or "") return blank;
        bool isWhole = kind == typeof(int) || kind == typeof(long);
        if (LanguagePrimitives.TryConvertTo(inputData, kind, out object? value) && !(isWhole && IsRounded(inputData))) return value;
        throw new ArgumentTransformationMetadataException($"'{inputData}' is not {(isWhole ? "a whole number" : "a number")} that can be taken.");
    }

    private static bool IsRounded(object? given) => LanguagePrimitives.TryConvertTo(given, out decimal exact) && exact != decimal.Truncate(exact);
}
