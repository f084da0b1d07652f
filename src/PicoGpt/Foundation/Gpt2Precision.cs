namespace PicoGpt.Foundation;

/// <summary>
/// How the matrices of a model are held while it runs. Arithmetic is float32 whatever they are held in, but products with integers are summed in
/// integers, exactly. Where that is not Float32, the keys and values of a text are rounded to 16 bits too, with a scale for every position and head.
/// </summary>
public enum Gpt2Precision
{
    /// <summary>As the checkpoint has them: exact, mapped without a copy.</summary>
    Float32,

    /// <summary>IEEE half precision: 11 bits of precision, values up to 65504; half the bytes.</summary>
    Float16,

    /// <summary>The upper half of a float32: 8 bits of precision, the same range; half the bytes.</summary>
    BFloat16,

    /// <summary>
    /// 8 bits, with a scale for every 32 values that a sum walks: 8.5 bits per value. What they are multiplied by is rounded to 16 bits.
    /// </summary>
    Int8,

    /// <summary>
    /// Of the tokens' embedding 4 bits that choose one of 16 levels, with a scale for every 32 values that a sum walks, of the projections 5
    /// bits that choose one of 32, with a scale for every 96: 4.5 and 5.5 bits per value. What they are multiplied by is rounded to 8 bits, with a
    /// scale for as many.
    /// </summary>
    Int4,
}
