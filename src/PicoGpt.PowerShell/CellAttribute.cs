using System.Collections;
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
        object? given = ObjectReader.Unwrap(inputData);
        if (given is null or "") return blank;
        if (given is IList { Count: > 1 } several)
            throw new ArgumentTransformationMetadataException($"{several.Count} values were given for one number, {string.Join(", ", several.Cast<object?>())}; a number has a decimal point, as in 0.7.");
        if (given is string text && text.Contains(',', StringComparison.Ordinal)) // of which PowerShell makes 7 where 0,7 is meant
            throw new ArgumentTransformationMetadataException($"'{Format.Visible(text)}' has a comma; write numbers with a decimal point, as in 0.7, and without separators.");
        bool isWhole = kind == typeof(int) || kind == typeof(long);
        if (LanguagePrimitives.TryConvertTo(inputData, kind, out object? value) && !(isWhole && IsRounded(inputData))) return value;
        throw new ArgumentTransformationMetadataException($"'{inputData}' is not {(isWhole ? "a whole number" : "a number")} that can be taken.");
    }

    private static bool IsRounded(object? given) => LanguagePrimitives.TryConvertTo(given, out decimal exact) && exact != decimal.Truncate(exact);
}
