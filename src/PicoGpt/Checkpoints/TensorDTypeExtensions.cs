using System.Globalization;

namespace PicoGpt.Checkpoints;

/// <summary>Facts about each <see cref="TensorDType"/>.</summary>
public static class TensorDTypeExtensions
{
    /// <summary>The bytes of one element, or <see langword="null"/> for strings and types this version does not know.</summary>
    public static int? ElementSize(this TensorDType dtype) => dtype switch
    {
        TensorDType.UInt8 or TensorDType.Int8 or TensorDType.Bool => 1,
        TensorDType.Int16 or TensorDType.UInt16 or TensorDType.Float16 or TensorDType.BFloat16 => 2,
        TensorDType.Float32 or TensorDType.Int32 or TensorDType.UInt32 => 4,
        TensorDType.Float64 or TensorDType.Int64 or TensorDType.UInt64 => 8,
        _ => null,
    };

    /// <summary>Whether the elements are floating-point numbers that can be read.</summary>
    public static bool IsFloat(this TensorDType dtype) =>
        dtype is TensorDType.Float32 or TensorDType.Float16 or TensorDType.BFloat16 or TensorDType.Float64;

    /// <summary>The name as Python's frameworks write it (<c>float32</c>), or <c>dtype 11</c> for an unknown number.</summary>
    public static string DisplayName(this TensorDType dtype) => Enum.IsDefined(dtype)
        ? dtype.ToString().ToLowerInvariant()
        : "dtype " + ((int)dtype).ToString(CultureInfo.InvariantCulture);
}
