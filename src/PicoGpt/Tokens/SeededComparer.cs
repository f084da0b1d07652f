namespace PicoGpt.Tokens;

/// <summary>Compares numbers that come from a file, so that no choice of them makes a dictionary slow: see <see cref="SeededHash"/>.</summary>
internal sealed class SeededComparer : IEqualityComparer<int>, IEqualityComparer<long>
{
    public static readonly SeededComparer Instance = new();

    private SeededComparer()
    {
    }

    public bool Equals(int x, int y) => x == y;

    public bool Equals(long x, long y) => x == y;

    public int GetHashCode(int obj) => GetHashCode((long)obj);

    public int GetHashCode(long obj) => (int)SeededHash.OfThisProcess.Fold((ulong)obj ^ SeededHash.OfThisProcess.Seed);
}
