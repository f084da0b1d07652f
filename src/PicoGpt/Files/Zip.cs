using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace PicoGpt.Files;

/// <summary>
/// Reads the directory of a ZIP archive (PKWARE's APPNOTE.TXT), with its extension for large ones, and tells where each file's data
/// lies, so that what is stored can be mapped.
/// </summary>
internal static class Zip
{
    public const uint LocalHeaderMark = 0x04034B50;
    public const uint CentralHeaderMark = 0x02014B50;
    public const uint EndMark = 0x06054B50;
    public const uint Zip64EndMark = 0x06064B50;
    public const uint Zip64LocatorMark = 0x07064B50;
    public const int EndLength = 22;
    public const int Zip64EndLength = 56;
    public const int Zip64LocatorLength = 20;

    private const int LocalHeaderLength = 30;
    private const int CentralHeaderLength = 46;
    private const int ExtraHeaderLength = 4;
    private const int MaxCommentLength = ushort.MaxValue;

    // A file takes about a hundred bytes.
    private const int MaxDirectoryLength = 4 * 1024 * 1024;
    private const ushort Zip64Extra = 1;
    private const ushort Stored = 0, Deflated = 8;
    private const ushort Encrypted = 1;

    // Deflate cannot do better than 258 bytes in two bits.
    private const long MaxInflation = 1032;

    /// <summary>The files of an archive.</summary>
    /// <exception cref="InvalidDataException">It is not an archive, is damaged, or uses what is not read; the message says what.</exception>
    public static IReadOnlyList<ZipEntry> ReadDirectory(MappedFile file, CancellationToken cancellationToken)
    {
        (long start, long length, long count) = FindDirectory(file);
        if (start < 0 || length < 0 || start > file.Length - length) throw new InvalidDataException("its directory lies outside the file");
        if (length > MaxDirectoryLength)
            throw new InvalidDataException($"its directory has {length} bytes, where at most {MaxDirectoryLength} are expected");
        if (count < 0 || count > length / CentralHeaderLength) throw new InvalidDataException($"its directory has no room for {count} files");

        List<ZipEntry> entries = new((int)count);
        long position = start;
        long used = 0;
        for (long i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            entries.Add(ReadEntry(file, start, start + length, ref position));
            used += LocalHeaderLength + entries[^1].CompressedSize;
            if (used > start) throw new InvalidDataException("its files lie over each other");
        }

        return entries;
    }

    /// <summary>The name of the file with which an archive begins; <see langword="null"/> where it begins otherwise.</summary>
    /// <param name="start">The archive's first bytes.</param>
    public static string? FirstName(ReadOnlySpan<byte> start)
    {
        if (start.Length < LocalHeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(start) != LocalHeaderMark) return null;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(start[26..]);
        return length <= start.Length - LocalHeaderLength ? Encoding.UTF8.GetString(start.Slice(LocalHeaderLength, length)) : null;
    }

    /// <summary>The bytes of a compressed file, at most so many.</summary>
    /// <exception cref="InvalidDataException">The data is damaged.</exception>
    public static unsafe byte[] Inflate(MappedFile file, ZipEntry entry, long most = long.MaxValue)
    {
        long length = Math.Min(entry.Size, most);
        if (length > Array.MaxLength || entry.Size / MaxInflation > entry.CompressedSize)
            throw new InvalidDataException($"'{entry.Name}' cannot have {entry.Size} bytes in {entry.CompressedSize} compressed ones");
        using var compressed = new UnmanagedMemoryStream(file.Address(entry.DataOffset, entry.CompressedSize), entry.CompressedSize);
        using var inflater = new DeflateStream(compressed, CompressionMode.Decompress);
        byte[] bytes = new byte[length];
        int read = inflater.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (read < length) throw new InvalidDataException($"'{entry.Name}' ends after {read} of {entry.Size} bytes");
        return bytes;
    }

    private static (long Start, long Length, long Count) FindDirectory(MappedFile file)
    {
        for (long position = file.Length - EndLength; position >= Math.Max(0, file.Length - EndLength - MaxCommentLength); position--)
        {
            if (U32(file, position) != EndMark || U16(file, position + 20) != file.Length - position - EndLength) continue;
            long locator = position - Zip64LocatorLength;
            if (locator >= 0 && U32(file, locator) == Zip64LocatorMark) return ReadZip64End(file, locator);
            if (U16(file, position + 4) != 0) throw new InvalidDataException("it spans several disks");
            return (U32(file, position + 16), U32(file, position + 12), U16(file, position + 10));
        }

        throw new InvalidDataException("it has no directory at its end");
    }

    private static (long Start, long Length, long Count) ReadZip64End(MappedFile file, long locator)
    {
        long position = I64(file, locator + 8);
        if (position < 0 || position > locator - Zip64EndLength || U32(file, position) != Zip64EndMark)
            throw new InvalidDataException("its directory is not where it says");
        return (I64(file, position + 48), I64(file, position + 40), I64(file, position + 32));
    }

    private static ZipEntry ReadEntry(MappedFile file, long directory, long end, ref long position)
    {
        if (end - position < CentralHeaderLength || U32(file, position) != CentralHeaderMark) throw new InvalidDataException("its directory is damaged");
        ushort flags = U16(file, position + 8), method = U16(file, position + 10);
        uint crc = U32(file, position + 16);
        int nameLength = U16(file, position + 28), extraLength = U16(file, position + 30), commentLength = U16(file, position + 32);
        if (end - position - CentralHeaderLength < nameLength + extraLength + commentLength) throw new InvalidDataException("its directory is cut short");

        string name = Encoding.UTF8.GetString(Bytes(file, position + CentralHeaderLength, nameLength));
        if ((flags & Encrypted) != 0) throw new InvalidDataException($"'{name}' is encrypted");
        if (method is not (Stored or Deflated)) throw new InvalidDataException($"'{name}' is compressed by method {method}, which is not read");

        long size = U32(file, position + 24), compressedSize = U32(file, position + 20), offset = U32(file, position + 42);
        ReadZip64Extra(Bytes(file, position + CentralHeaderLength + nameLength, extraLength), name, ref size, ref compressedSize, ref offset);
        position += CentralHeaderLength + nameLength + extraLength + commentLength;
        long data = DataOffset(file, name, offset, directory);
        if (size < 0 || compressedSize < 0 || compressedSize > directory - data) throw new InvalidDataException($"'{name}' lies outside the file");
        if (method == Stored && size != compressedSize) throw new InvalidDataException($"'{name}' has two sizes, {size} and {compressedSize}");
        return new ZipEntry(name, method == Deflated, crc, compressedSize, size, data);
    }

    private static long DataOffset(MappedFile file, string name, long offset, long directory)
    {
        if (offset < 0 || offset > directory - LocalHeaderLength || U32(file, offset) != LocalHeaderMark)
            throw new InvalidDataException($"'{name}' is not where the directory says");
        long data = offset + LocalHeaderLength + U16(file, offset + 26) + U16(file, offset + 28);
        return data <= directory ? data : throw new InvalidDataException($"'{name}' lies outside the file");
    }

    // Only what does not fit its place in the directory stands here, in this order.
    private static void ReadZip64Extra(ReadOnlySpan<byte> extra, string name, ref long size, ref long compressedSize, ref long offset)
    {
        while (extra.Length >= ExtraHeaderLength)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra), length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            extra = extra[ExtraHeaderLength..];
            if (length > extra.Length) throw new InvalidDataException($"what the directory adds to '{name}' is cut short");
            if (id == Zip64Extra)
            {
                ReadOnlySpan<byte> values = extra[..length];
                Take(ref values, ref size);
                Take(ref values, ref compressedSize);
                Take(ref values, ref offset);
            }

            extra = extra[length..];
        }

        void Take(ref ReadOnlySpan<byte> values, ref long value)
        {
            if (value != uint.MaxValue) return;
            if (values.Length < sizeof(long)) throw new InvalidDataException($"the size of '{name}' is cut short");
            value = BinaryPrimitives.ReadInt64LittleEndian(values);
            values = values[sizeof(long)..];
        }
    }

    private static unsafe ReadOnlySpan<byte> Bytes(MappedFile file, long offset, int length) => new(file.Address(offset, length), length);

    private static ushort U16(MappedFile file, long offset) => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(file, offset, sizeof(ushort)));

    private static uint U32(MappedFile file, long offset) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(file, offset, sizeof(uint)));

    private static long I64(MappedFile file, long offset) => BinaryPrimitives.ReadInt64LittleEndian(Bytes(file, offset, sizeof(long)));
}
