using System.Collections;
using System.Globalization;
using System.Management.Automation;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>
/// Lets a parameter take ids of tokens as they are, and as they stand in a text such as <c>[464, 3290]</c>, of which PowerShell would make one number;
/// refuses what is not a whole number, which it would round.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TokenIdsAttribute : ArgumentTransformationAttribute
{
    private static readonly char[] Separators = [',', ' ', '\t', '\r', '\n', '[', ']'];

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        IEnumerable<object?> items = Unwrap(inputData) is IList list ? list.Cast<object?>().Select(Unwrap) : [Unwrap(inputData)];
        return items.Any(item => item is string or bool or float or double or decimal) ? items.SelectMany(Read).ToArray() : inputData; // what has a property Id is bound by it
    }

    private static IEnumerable<object?> Read(object? item) => item switch
    {
        string text when text.Split(Separators, StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words => words.Select(word => (object?)Whole(word, text)),
        string or bool => throw Refused(item),
        float or double or decimal when !LanguagePrimitives.TryConvertTo(item, out decimal exact) || exact != decimal.Truncate(exact) => throw Refused(item),
        _ => [item],
    };

    private static int Whole(string word, string given) =>
        int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int id) ? id : throw Refused(given);

    private static ArgumentTransformationMetadataException Refused(object given) =>
        new($"'{Format.Visible($"{given}")}' is not the id of a token, nor several; whole numbers are expected.");
}
