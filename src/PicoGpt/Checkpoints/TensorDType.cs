namespace PicoGpt.Checkpoints;

/// <summary>
/// Element types of tensors, with the numbers of TensorFlow's <c>DataType</c> (types.proto).
/// A checkpoint may hold other numbers; such tensors are listed, but not read.
/// </summary>
public enum TensorDType
{
    /// <summary>No type; never legal in a checkpoint.</summary>
    None = 0,

    /// <summary>IEEE 754 binary32, 4 bytes.</summary>
    Float32 = 1,

    /// <summary>IEEE 754 binary64, 8 bytes.</summary>
    Float64 = 2,

    /// <summary>Signed, 4 bytes.</summary>
    Int32 = 3,

    /// <summary>Unsigned, 1 byte.</summary>
    UInt8 = 4,

    /// <summary>Signed, 2 bytes.</summary>
    Int16 = 5,

    /// <summary>Signed, 1 byte.</summary>
    Int8 = 6,

    /// <summary>Byte strings of any length.</summary>
    String = 7,

    /// <summary>Two binary32, 8 bytes; only listed.</summary>
    Complex64 = 8,

    /// <summary>Signed, 8 bytes.</summary>
    Int64 = 9,

    /// <summary>Truth value, 1 byte.</summary>
    Bool = 10,

    /// <summary>The upper half of a binary32, 2 bytes.</summary>
    BFloat16 = 14,

    /// <summary>Unsigned, 2 bytes.</summary>
    UInt16 = 17,

    /// <summary>Two binary64, 16 bytes; only listed.</summary>
    Complex128 = 18,

    /// <summary>IEEE 754 binary16, 2 bytes.</summary>
    Float16 = 19,

    /// <summary>A serialized object; only listed.</summary>
    Variant = 21,

    /// <summary>Unsigned, 4 bytes.</summary>
    UInt32 = 22,

    /// <summary>Unsigned, 8 bytes.</summary>
    UInt64 = 23,
}
