using System.Buffers.Binary;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Numpy;

/// <summary>
/// Writes an npz file: a ZIP archive of stored npy files (NumPy's format description in numpy.lib.format; PKWARE's APPNOTE.TXT). Each
/// tensor's elements lie at a multiple of 64 bytes, so that they can be mapped. The same tensors give the same bytes.
/// </summary>
internal sealed class NpzWriter : ITensorWriter
{
    private const int Alignment = 64;
    private const int LocalHeaderLength = 30;
    private const int CentralHeaderLength = 46;
    private const int ExtraHeaderLength = 4;
    private const ushort PaddingExtra = 0xD935; // the id under which Android's zipalign pads
    private const ushort Zip64Extra = 0x0001;
    private const ushort Version = 20;
    private const ushort Zip64Version = 45;
    private const ushort FirstDay = 0x0021; // 1980-01-01; the archive tells nothing of when it was made

    private readonly OutputFile _file;
    private readonly List<(byte[] Name, uint Crc, uint Size, long Offset)> _entries = [];

    /// <param name="path">The full path of the file.</param>
    /// <param name="meter">What counts the bytes of the tensors.</param>
    public NpzWriter(string path, WriteMeter? meter = null) => _file = new OutputFile(path, meter);

    public void Add(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data)
    {
        if (data.Length != shape.ElementCount * dtype.ElementSize())
            throw new ArgumentException($"{shape} of {dtype.DisplayName()} does not take {data.Length} bytes", nameof(data));

        byte[] header = NpyHeader.Format(dtype, shape), fileName = Encoding.ASCII.GetBytes(name + Npz.EntryExtension);
        uint crc = Crc32.Append(Crc32.Compute(header), data), size = checked((uint)header.Length + (uint)data.Length);
        _entries.Add((fileName, crc, size, _file.Stream.Position));
        WriteLocalHeader(fileName, crc, size);
        _file.Stream.Write(header);
        _file.Write(data);
    }

    public void Complete()
    {
        long start = _file.Stream.Position;
        foreach ((byte[] name, uint crc, uint size, long offset) in _entries) WriteCentralHeader(name, crc, size, offset);
        WriteEnd(start, _file.Stream.Position - start);
        _file.Complete();
    }

    public IReadOnlyList<OutputFile> Files => [_file];

    public void Dispose() => _file.Dispose();

    private void WriteLocalHeader(byte[] name, uint crc, uint size)
    {
        long unpadded = _file.Stream.Position + LocalHeaderLength + name.Length + ExtraHeaderLength;
        int padding = (int)((Alignment - (unpadded % Alignment)) % Alignment);
        byte[] header = new byte[LocalHeaderLength + name.Length + ExtraHeaderLength + padding];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Zip.LocalHeaderMark);
        WriteCommon(header.AsSpan(4), name, crc, size, Version, ExtraHeaderLength + padding);
        name.CopyTo(header, LocalHeaderLength);
        Span<byte> extra = header.AsSpan(LocalHeaderLength + name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(extra, PaddingExtra);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], (ushort)padding);
        _file.Stream.Write(header);
    }

    private void WriteCentralHeader(byte[] name, uint crc, uint size, long offset)
    {
        bool isFar = offset >= uint.MaxValue;
        int extraLength = isFar ? ExtraHeaderLength + sizeof(long) : 0;
        byte[] header = new byte[CentralHeaderLength + name.Length + extraLength];
        ushort version = isFar ? Zip64Version : Version;
        BinaryPrimitives.WriteUInt32LittleEndian(header, Zip.CentralHeaderMark);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), version);
        WriteCommon(header.AsSpan(6), name, crc, size, version, extraLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(42), isFar ? uint.MaxValue : (uint)offset);
        name.CopyTo(header, CentralHeaderLength);
        if (isFar)
        {
            Span<byte> extra = header.AsSpan(CentralHeaderLength + name.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(extra, Zip64Extra);
            BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], sizeof(long));
            BinaryPrimitives.WriteInt64LittleEndian(extra[4..], offset);
        }

        _file.Stream.Write(header);
    }

    // What local and central headers have in common: from the version needed to the length of the extra field.
    private static void WriteCommon(Span<byte> header, byte[] name, uint crc, uint size, ushort version, int extraLength)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(header, version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], FirstDay);
        BinaryPrimitives.WriteUInt32LittleEndian(header[10..], crc);
        BinaryPrimitives.WriteUInt32LittleEndian(header[14..], size);
        BinaryPrimitives.WriteUInt32LittleEndian(header[18..], size);
        BinaryPrimitives.WriteUInt16LittleEndian(header[22..], (ushort)name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header[24..], (ushort)extraLength);
    }

    private void WriteEnd(long start, long length)
    {
        bool isLarge = start >= uint.MaxValue || length >= uint.MaxValue || _entries.Count >= ushort.MaxValue;
        if (isLarge) WriteZip64End(start, length);
        byte[] end = new byte[Zip.EndLength];
        BinaryPrimitives.WriteUInt32LittleEndian(end, Zip.EndMark);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), isLarge ? ushort.MaxValue : (ushort)_entries.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), isLarge ? ushort.MaxValue : (ushort)_entries.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), isLarge ? uint.MaxValue : (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), isLarge ? uint.MaxValue : (uint)start);
        _file.Stream.Write(end);
    }

    private void WriteZip64End(long start, long length)
    {
        long position = _file.Stream.Position;
        byte[] end = new byte[Zip.Zip64EndLength + Zip.Zip64LocatorLength];
        BinaryPrimitives.WriteUInt32LittleEndian(end, Zip.Zip64EndMark);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(4), Zip.Zip64EndLength - 12); // what follows this number
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(12), Zip64Version);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(14), Zip64Version);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(24), _entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(32), _entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(40), length);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(48), start);
        Span<byte> locator = end.AsSpan(Zip.Zip64EndLength);
        BinaryPrimitives.WriteUInt32LittleEndian(locator, Zip.Zip64LocatorMark);
        BinaryPrimitives.WriteInt64LittleEndian(locator[8..], position);
        BinaryPrimitives.WriteUInt32LittleEndian(locator[16..], 1); // disks
        _file.Stream.Write(end);
    }
}
