using PicoGpt.Adapters;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>A weight at a fixed address: a matrix in float32, the same packed, or a vector.</summary>
internal readonly unsafe struct PinnedWeight
{
    public PinnedWeight(Matrix plain) => Plain = plain;

    public PinnedWeight(PackedMatrix packed) => (Packed, IsPacked) = (packed, true);

    /// <summary>Whether the values are there packed only.</summary>
    public bool IsPacked { get; }

    /// <summary>What is added to it; nothing, but where an adapter is trained.</summary>
    public LowRankPair LowRank { get; init; }

    public Matrix Plain { get; }

    /// <summary>The packed matrix; of one in float32 the same values in panels, where products are to walk those.</summary>
    public PackedMatrix Packed { get; init; }

    /// <summary>Whether products walk <see cref="Packed"/>.</summary>
    public bool HasPanels => Packed.Data is not null;

    /// <summary>The values of a vector; null where the model has no such weight.</summary>
    public float* Vector => Plain.Data;

    /// <summary>Throws unless it is a matrix of the given shape.</summary>
    public void Require(int rows, int columns)
    {
        if (!IsPacked) Plain.Require(rows, columns);
        else if (Packed.Rows != rows || Packed.Columns != columns)
            throw new ArgumentException($"A packed matrix of shape [{Packed.Rows}, {Packed.Columns}] stands where [{rows}, {columns}] is needed.");
    }
}
