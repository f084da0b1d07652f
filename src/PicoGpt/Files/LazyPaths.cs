using System.Collections;

namespace PicoGpt.Files;

/// <summary>Paths that are made when they are asked for: an index of a hundred bytes may speak of a hundred thousand files.</summary>
/// <param name="count">How many.</param>
/// <param name="path">Makes the path of a number.</param>
internal sealed class LazyPaths(int count, Func<int, string> path) : IReadOnlyList<string>
{
    public int Count => count;

    public string this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)count, nameof(index));
            return path(index);
        }
    }

    public IEnumerator<string> GetEnumerator() => Enumerable.Range(0, count).Select(path).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
