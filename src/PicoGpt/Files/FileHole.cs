using System.Runtime.CompilerServices;
using PicoGpt.Machine;

namespace PicoGpt.Files;

/// <summary>
/// Zeros in a file where a program left out what it should have written: it had made the file in its whole length before. Many formats have no
/// checksum that would find them.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where the zeros begin.</param>
/// <param name="Length">How many there are.</param>
internal sealed record FileHole(string Path, long Offset, long Length)
{
    // Programs fetch and write pieces of at least this size; every second look falls into one.
    private const int Least = 64 * 1024, Step = Least / 2;

    /// <summary>
    /// Looks for a hole in a matrix. A few bytes are read; zeros from the beginning of a row to the end of one are no hole but were made: heads
    /// that somebody took out, tokens that no text has.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where the matrix begins.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="rowSize">The bytes of a row.</param>
    /// <param name="elementSize">The bytes of a number, or of a block of them.</param>
    public static unsafe FileHole? In(MappedFile file, long offset, long size, long rowSize, int elementSize) =>
        size >= Least && Find(file.Address(offset, size), size, rowSize, elementSize) is { Length: > 0 } hole
            ? new FileHole(file.Path, offset + hole.Begin, hole.Length)
            : null;

    /// <summary>The same in the bytes of a matrix: where the zeros begin, and how many there are; none where there is no hole.</summary>
    public static unsafe (long Begin, long Length) Find(byte* start, long size, long rowSize, int elementSize)
    {
        for (long at = 0; at <= size - sizeof(ulong); at += Step)
        {
            if (Unsafe.ReadUnaligned<ulong>(start + at) != 0) continue;
            long begin = at, end = EndOfZeros(start, at, size);
            while (begin > 0 && start[begin - 1] == 0) begin--;
            begin = (begin + elementSize - 1) / elementSize * elementSize;
            end = end / elementSize * elementSize;
            bool isByRows = begin % rowSize == 0 && end % rowSize == 0 && end - begin < size / 4;
            if (end - begin >= Least && !isByRows) return (begin, end - begin);
            at = Math.Max(at, end);
        }

        return default;
    }

    private static unsafe long EndOfZeros(byte* start, long at, long size)
    {
        while (at < size)
        {
            int length = (int)Math.Min(size - at, int.MaxValue), zeros = new ReadOnlySpan<byte>(start + at, length).IndexOfAnyExcept((byte)0);
            if (zeros >= 0) return at + zeros;
            at += length;
        }

        return size;
    }

    /// <summary>What is told of it, as a sentence.</summary>
    /// <param name="tensor">The tensor in which it is.</param>
    public string In(string tensor) =>
        $"'{Path}' holds {MemorySize.Of(Length)} of nothing but zeros in '{tensor}', from byte {Offset} on, as where a download did not end; if the model was not made so, fetch the file again.";
}
