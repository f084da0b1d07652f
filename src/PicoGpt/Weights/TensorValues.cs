using System.Collections;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>The elements of a tensor as a list, row-major, where they are.</summary>
internal sealed class TensorValues(ReadOnlyMemory<float> memory, TensorLayout layout) : IReadOnlyList<float>
{
    private const int PieceLength = 1024;

    public int Count => layout.Count;

    public float this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            using var held = new HeldMemory<float>(memory); // another thread may close the model meanwhile
            return held.IfUnchanged(held.Span[layout.PlaceOf(index)]);
        }
    }

    public IEnumerator<float> GetEnumerator()
    {
        float[] piece = new float[Math.Min(Count, PieceLength)];
        for (int start = 0; start < Count; start += piece.Length)
        {
            int length = Read(start, piece);
            for (int i = 0; i < length; i++) yield return piece[i];
        }
    }

    private int Read(int start, float[] piece)
    {
        using var held = new HeldMemory<float>(memory);
        ReadOnlySpan<float> values = layout.Read(held.Span, start, piece);
        if (layout.IsContiguous) values.CopyTo(piece);
        return held.IfUnchanged(values.Length);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
