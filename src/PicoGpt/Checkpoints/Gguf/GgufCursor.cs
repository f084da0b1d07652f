using System.Buffers.Binary;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>Walks through the numbers and texts of a mapped GGUF file, little-endian; nothing is taken from beyond its end.</summary>
/// <param name="file">The file.</param>
/// <param name="position">Where to begin.</param>
/// <param name="cancellationToken">Looked at before every step.</param>
internal sealed unsafe class GgufCursor(MappedFile file, long position, CancellationToken cancellationToken)
{
    // A name of the metadata or of a tensor; ggml itself allows 64 bytes for the second.
    private const int MaxNameLength = 1 << 16;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Where the next byte is.</summary>
    public long Position { get; private set; } = position;

    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>A number of things that take so many bytes each at the least, which must be left.</summary>
    /// <exception cref="EndOfStreamException">The file has no room for them.</exception>
    public long Count(string what, long size)
    {
        ulong count = UInt64();
        return count <= (ulong)((file.Length - Position) / size)
            ? (long)count
            : throw new EndOfStreamException($"it should have {count} {what}, for which it has no room");
    }

    /// <summary>A name.</summary>
    /// <exception cref="InvalidDataException">It is too long or not UTF-8.</exception>
    public string Name()
    {
        long length = Count("bytes of a name", 1);
        return length <= MaxNameLength ? Decode((int)length) : throw new InvalidDataException($"it has a name of {length} bytes");
    }

    /// <summary>A text of any length.</summary>
    /// <exception cref="InvalidDataException">It is longer than a text can be, or not UTF-8.</exception>
    public string Text()
    {
        long length = Count("bytes of a text", 1);
        return length <= Array.MaxLength / 2 ? Decode((int)length) : throw new InvalidDataException($"it has a text of {length} bytes");
    }

    /// <summary>Passes over a text.</summary>
    public void SkipText() => Skip(Count("bytes of a text", 1));

    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public void Skip(long count)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (count > file.Length - Position) throw new EndOfStreamException($"it ends at byte {file.Length}, within what is told at byte {Position}");
        Position += count;
    }

    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public ReadOnlySpan<byte> Take(int count)
    {
        long start = Position;
        Skip(count);
        return new ReadOnlySpan<byte>(file.Address(start, count), count);
    }

    private string Decode(int length)
    {
        try
        {
            return StrictUtf8.GetString(Take(length));
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException($"it has a text that is not UTF-8, before byte {Position}", fault);
        }
    }
}
