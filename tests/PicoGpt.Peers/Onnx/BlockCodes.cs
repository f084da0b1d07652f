namespace PicoGpt.Peers.Onnx;

/// <summary>
/// A matrix in few bits as MatMulNBits takes it: for every 32 values that a sum walks a scale in float32, and codes of 4 or 8 bits, the first
/// of two in the low half of a byte, whose middle is zero.
/// </summary>
internal sealed class BlockCodes
{
    public const int Length = 32;

    private BlockCodes(byte[] codes, float[] scales) => (Codes, Scales) = (codes, scales);

    /// <summary>[n_out, n_in / 32, 32 codes].</summary>
    public byte[] Codes { get; }

    /// <summary>[n_out, n_in / 32].</summary>
    public float[] Scales { get; }

    /// <summary>Rounds a matrix.</summary>
    /// <param name="rows">The matrix by rows, [n_out, n_in].</param>
    /// <param name="bits">4 or 8.</param>
    public static BlockCodes Of(float[] rows, int bits)
    {
        byte[] codes = new byte[rows.Length * bits / 8];
        float[] scales = new float[rows.Length / Length];
        Parallel.For(0, scales.Length, block =>
        {
            ReadOnlySpan<float> values = rows.AsSpan(block * Length, Length);
            int size = Length * bits / 8;
            scales[block] = Encode(values, bits, codes.AsSpan(block * size, size));
        });
        return new BlockCodes(codes, scales);
    }

    private static float Encode(ReadOnlySpan<float> values, int bits, Span<byte> codes)
    {
        int middle = 1 << (bits - 1);
        float largest = 0; // with its sign: it becomes the outermost code, of which the negative side has one more
        foreach (float value in values) largest = MathF.Abs(value) > MathF.Abs(largest) ? value : largest;
        float scale = largest / -middle, inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < values.Length; i++)
        {
            int code = Math.Clamp((int)MathF.Round(values[i] * inverse) + middle, 0, (2 * middle) - 1);
            if (bits == 8) codes[i] = (byte)code;
            else codes[i / 2] |= (byte)(code << (i % 2 * 4));
        }

        return scale;
    }
}
