namespace PicoGpt.Numerics;

/// <summary>How a block of some rows by 32 columns is held in one precision. Every way to read an element gives the same value.</summary>
internal unsafe interface IPackedFormat
{
    /// <summary>Rows of a block, an even number.</summary>
    static abstract int Rows { get; }

    /// <summary>Bytes of a block, a multiple of a cache line.</summary>
    static abstract int BlockSize { get; }

    /// <summary>Packs a block of float32, [rows, 32].</summary>
    static abstract void Pack(float* block, byte* packed);

    /// <summary>One element.</summary>
    static abstract float Element(byte* packed, int row, int column);
}
