using System.Collections;
using System.Globalization;
using System.Management.Automation;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>Lets a parameter of whole numbers take ranges as they are typed: <c>-Layer 0..3, 7</c>, without parentheses.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IndexRangeAttribute : ArgumentTransformationAttribute
{
    private const string Dots = "..";
    private const int Most = 1 << 20;

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? given = Unwrap(inputData);
        return given is IList list ? list.Cast<object?>().SelectMany(item => Read(Unwrap(item))).ToArray() : Read(given).ToArray();
    }

    private static IEnumerable<object?> Read(object? item) =>
        item is string text && text.Contains(Dots, StringComparison.Ordinal) ? Range(text).Cast<object?>() : [item];

    private static IEnumerable<int> Range(string text)
    {
        string[] ends = text.Split(Dots);
        if (ends.Length != 2 || !TryRead(ends[0], out int first) || !TryRead(ends[1], out int last))
            throw new ArgumentTransformationMetadataException($"'{Format.Visible(text)}' is not a range; give one such as 0..3.");
        int step = first <= last ? 1 : -1;
        long count = Math.Abs((long)last - first) + 1;
        if (count > Most) throw new ArgumentTransformationMetadataException($"The range {first}..{last} has {count} numbers; give {Most} at most.");
        return Enumerable.Range(0, (int)count).Select(i => first + (i * step));
    }

    private static bool TryRead(string text, out int number) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
