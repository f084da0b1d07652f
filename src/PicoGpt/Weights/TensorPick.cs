using System.Globalization;

namespace PicoGpt.Weights;

/// <summary>What a slice takes of one dimension.</summary>
/// <param name="Start">The first index.</param>
/// <param name="Step">From each index to the next; negative backwards.</param>
/// <param name="Length">How many indexes.</param>
/// <param name="DropsDimension">Whether it is a single index, which leaves the slice without this dimension.</param>
internal readonly record struct TensorPick(int Start, int Step, int Length, bool DropsDimension = false)
{
    /// <summary>The whole of a dimension.</summary>
    public static TensorPick All(int dimension) => new(0, 1, dimension);

    /// <summary>One index; a negative one counts from the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside the dimension.</exception>
    public static TensorPick Only(int index, int dimension)
    {
        if (index < -dimension || index >= dimension)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The index is outside a dimension of {dimension}.");
        return new TensorPick(index < 0 ? index + dimension : index, 1, 1, DropsDimension: true);
    }

    /// <summary>
    /// Reads what NumPy's basic indexing takes of a dimension: <c>3</c>, <c>-1</c>, <c>:</c>, <c>0:64</c>, <c>::2</c>, <c>::-1</c>.
    /// Ends beyond the dimension are cut off, as there.
    /// </summary>
    /// <exception cref="FormatException">The text is nothing of the kind, or a single index is outside the dimension.</exception>
    public static TensorPick Parse(string text, int dimension)
    {
        string[] parts = text.Split(':');
        if (parts.Length == 1)
        {
            int index = Number(text) ?? throw new FormatException("an index is missing");
            if (index < -dimension || index >= dimension) throw new FormatException($"{index} is outside a dimension of {dimension}");
            return Only(index, dimension);
        }

        if (parts.Length > 3) throw new FormatException($"'{text}' has more than two colons");
        int step = (parts.Length == 3 ? Number(parts[2]) : null) ?? 1;
        if (step is 0 or int.MinValue) throw new FormatException($"the step of '{text}' is {step}");

        // Backwards, the ends are the last index and the one before the first.
        int least = step > 0 ? 0 : -1, greatest = step > 0 ? dimension : dimension - 1;
        long start = Bound(Number(parts[0])) ?? (step > 0 ? least : greatest);
        long end = Bound(Number(parts[1])) ?? (step > 0 ? greatest : least);
        long length = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -(long)step;
        return new TensorPick((int)start, step, (int)Math.Max(length, 0));

        long? Bound(long? end) => end is { } given ? Math.Clamp(given < 0 ? given + dimension : given, least, greatest) : null;
    }

    private static int? Number(string text) => text.Trim() is not { Length: > 0 } digits
        ? null
        : int.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new FormatException($"'{digits}' is not a number");
}
