using System.Collections;

namespace PicoGpt.Weights;

/// <summary>The elements of a tensor as a list, row-major, where they are.</summary>
internal sealed class TensorValues(ReadOnlyMemory<float> memory, TensorLayout layout) : IReadOnlyList<float>
{
    public int Count => layout.Count;

    public float this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return memory.Span[layout.PlaceOf(index)];
        }
    }

    public IEnumerator<float> GetEnumerator()
    {
        for (int i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
