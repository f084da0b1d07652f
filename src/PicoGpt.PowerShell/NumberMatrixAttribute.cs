using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using PicoGpt.Circuits;
using PicoGpt.Weights;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>
/// Lets a parameter take numbers as scripts have them: one, a list, a list of lists, a matrix such as a trace's activation, a direction, or a weight. They
/// become a matrix; a list is one row.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
[SuppressMessage("Performance", "CA1814", Justification = "Rows of one width are a matrix.")]
public sealed class NumberMatrixAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => Unwrap(inputData) switch
    {
        PSCustomObject when TypeElsewhere(inputData) is { } type => FromElsewhere((PSObject)inputData, type),
        float[,] matrix => matrix,
        Gpt2Direction direction => Matrix([[.. direction.Values]]),
        FloatTensor weight => Matrix([weight.ToArray()]),
        double[,] matrix => Narrowed(matrix),
        IList { Count: > 0 } list when Unwrap(list[0]) is IList => Matrix([.. list.Cast<object?>().Select(row => Numbers(Unwrap(row)))]),
        var given => Matrix([Numbers(given)]),
    };

    private static float[,] FromElsewhere(PSObject given, string type) => type == typeof(Gpt2Direction).FullName
        ? Matrix([[.. Items(given, nameof(Gpt2Direction.Values)).Select(value => (float)Number(value))]])
        : throw ObjectOfAttribute.Lacking(type, "take the numbers there, as by (Get-Gpt2Weight wte).Row(5).ToArray(), and give those");

    private static float[,] Narrowed(double[,] wide)
    {
        float[,] matrix = new float[wide.GetLength(0), wide.GetLength(1)];
        for (int i = 0; i < matrix.GetLength(0); i++)
        {
            for (int j = 0; j < matrix.GetLength(1); j++) matrix[i, j] = (float)wide[i, j];
        }

        return matrix;
    }

    private static float[] Numbers(object? given)
    {
        if (given is float[] { Length: > 0 } numbers) return numbers;
        object?[] items = given is IList list ? [.. list.Cast<object?>()] : [given];
        return items.Length == 0 ? throw Refused("") : [.. items.Select(Number)];
    }

    private static float Number(object? item) =>
        item is not null && LanguagePrimitives.TryConvertTo(item, out float number) ? number : throw Refused(item);

    private static float[,] Matrix(float[][] rows)
    {
        float[,] matrix = new float[rows.Length, rows[0].Length];
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i].Length != rows[0].Length)
            {
                throw new ArgumentTransformationMetadataException(
                    $"Row {i} has {rows[i].Length} numbers, and the first row has {rows[0].Length}; give rows of one length.");
            }

            for (int j = 0; j < rows[i].Length; j++) matrix[i, j] = rows[i][j];
        }

        return matrix;
    }

    private static ArgumentTransformationMetadataException Refused(object? given) =>
        new($"'{Format.Visible($"{given}")}' is not a number; give one number, an array, or a matrix such as $trace.Activations['h3/mlp'].");
}
