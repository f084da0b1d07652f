using PicoGpt.Machine;

namespace PicoGpt.Benchmarks;

/// <summary>Memory in large pages, more than caches hold, that all threads together read from end to end, each a share of its own.</summary>
internal sealed unsafe class LargePageReads : IDisposable
{
    private const int Size = 512 * 1024 * 1024;
    private readonly LargePages _memory = new(Size);
    private readonly int _threads;

    public LargePageReads(int threads)
    {
        _threads = threads;
        new Span<byte>(_memory.Data, Size).Clear(); // touches the pages
    }

    /// <summary>Bytes a second that are read now.</summary>
    public double Rate()
    {
        byte* data = _memory.Data;
        int share = Size / _threads;
        return (long)share * _threads / MachineLimits.Time(_threads, part => MachineLimits.Read(new ReadOnlySpan<byte>(data + ((nint)part * share), share)));
    }

    public void Dispose() => _memory.Dispose();
}
