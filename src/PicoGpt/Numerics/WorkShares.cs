namespace PicoGpt.Numerics;

/// <summary>
/// Work that threads divide as they go. Each begins with a share of its own, of which it takes what comes next, half of what is left each time; one
/// that has nothing left takes from the end of another's. So all end together where one core is slower, or memory serves it later.
/// </summary>
internal sealed class WorkShares
{
    private const int Spacing = 128 / sizeof(ulong); // two cache lines: processors fetch them in pairs

    private ulong[] _shares = []; // [parts]: where the share begins now, and above it where it ends, in grains
    private int _parts;
    private int _count;
    private int _grain;
    private bool _areWhole;

    /// <summary>Gives each thread a part of the elements, while nobody takes.</summary>
    /// <param name="count">Elements.</param>
    /// <param name="parts">Threads.</param>
    /// <param name="grain">Elements that stay together.</param>
    /// <param name="areWhole">Whether a share is not to be divided further.</param>
    public void Divide(int count, int parts, int grain = 1, bool areWhole = false)
    {
        int grains = Begin(count, parts, grain, areWhole);
        for (int part = 0; part < parts; part++)
        {
            (int from, int to) = Job.Share(grains, part, parts);
            Share(part) = Pack((uint)from, (uint)to);
        }
    }

    /// <summary>Gives each thread all elements, of what is its own, while nobody takes.</summary>
    /// <param name="count">Elements.</param>
    /// <param name="parts">Threads.</param>
    /// <param name="grain">Elements that stay together.</param>
    public void GiveEach(int count, int parts, int grain)
    {
        int grains = Begin(count, parts, grain, areWhole: false);
        for (int part = 0; part < parts; part++) Share(part) = Pack(0, (uint)grains);
    }

    /// <summary>Takes some of what is left.</summary>
    /// <param name="part">Who takes.</param>
    /// <param name="piece">What is taken.</param>
    /// <returns>Whether anything was left.</returns>
    public bool TryTake(int part, out WorkPiece piece)
    {
        for (int i = 0; i < _parts; i++)
        {
            int owner = (part + i) % _parts;
            if (!TryTake(ref Share(owner), isOwn: i == 0, out uint from, out uint to)) continue;
            piece = new WorkPiece(owner, (int)from * _grain, (int)Math.Min((long)to * _grain, _count));
            return true;
        }

        piece = default;
        return false;
    }

    private bool TryTake(ref ulong share, bool isOwn, out uint from, out uint to)
    {
        ulong seen = Volatile.Read(ref share);
        while (true)
        {
            (from, to) = ((uint)seen, (uint)(seen >> 32));
            if (from >= to) return false;
            uint some = _areWhole ? to - from : (to - from + 1) / 2;
            ulong left = isOwn ? Pack(from + some, to) : Pack(from, to - some);
            ulong found = Interlocked.CompareExchange(ref share, left, seen);
            if (found == seen)
            {
                (from, to) = isOwn ? (from, from + some) : (to - some, to);
                return true;
            }

            seen = found;
        }
    }

    // gives the number of grains
    private int Begin(int count, int parts, int grain, bool areWhole)
    {
        if (parts != _parts) _shares = new ulong[(parts + 1) * Spacing]; // the first lie away from whatever lies before them
        (_count, _parts, _grain, _areWhole) = (count, parts, grain, areWhole || parts == 1);
        return (int)(((long)count + grain - 1) / grain);
    }

    private ref ulong Share(int part) => ref _shares[(part + 1) * Spacing];

    private static ulong Pack(uint from, uint to) => ((ulong)to << 32) | from;
}
