using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A matrix at a fixed address, in float32 or packed.</summary>
internal readonly struct PinnedMatrix
{
    public PinnedMatrix(Matrix plain) => Plain = plain;

    public PinnedMatrix(PackedMatrix packed) => (Packed, IsPacked) = (packed, true);

    public bool IsPacked { get; }

    public Matrix Plain { get; }

    public PackedMatrix Packed { get; }

    /// <summary>Throws unless the matrix has the given shape.</summary>
    public void Require(int rows, int columns)
    {
        if (!IsPacked) Plain.Require(rows, columns);
        else if (Packed.Rows != rows || Packed.Columns != columns)
            throw new ArgumentException($"A packed matrix of shape [{Packed.Rows}, {Packed.Columns}] stands where [{rows}, {columns}] is needed.");
    }
}
