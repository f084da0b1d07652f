using System.Buffers.Binary;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The values of a checkpoint index's other keys (BundleEntryProto, tensor_bundle.proto).</summary>
internal static class BundleEntryCodec
{
    private const int MaxSlices = 1_000; // each is compared with every other
    private const int MaxExtents = 16 * 1024; // of all slices together

    /// <exception cref="InvalidDataException">The value is malformed or contradicts itself.</exception>
    public static TensorEntry Decode(string name, ReadOnlySpan<byte> value, int shardCount)
    {
        long dtype = 0, shardId = 0, offset = 0, size = 0;
        uint crc = 0;
        int extents = 0;
        var shape = new TensorShape();
        var slices = new List<TensorSlice>();
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            switch (number)
            {
                case 1: dtype = reader.ReadInt64(); break;
                case 2: shape = DecodeShape(reader.ReadBytes()); break;
                case 3: shardId = reader.ReadInt64(); break;
                case 4: offset = reader.ReadInt64(); break;
                case 5: size = reader.ReadInt64(); break;
                case 6: crc = reader.ReadFixed32(); break;
                case 7:
                    slices.Add(DecodeSlice(reader.ReadBytes()));
                    extents += slices[^1].Extents.Count;
                    break;
                default: reader.Skip(); break;
            }

            if (slices.Count > MaxSlices) throw new InvalidDataException($"it has more than {MaxSlices} slices");
            if (extents > MaxExtents) throw new InvalidDataException($"its slices have more than {MaxExtents} dimensions together");
        }

        if (dtype is < 1 or > int.MaxValue) throw new InvalidDataException($"its element type is {dtype}");
        if (shardId < 0 || shardId >= shardCount) throw new InvalidDataException($"it lies in data file {shardId} of {shardCount}");
        if (offset < 0 || size < 0 || offset > long.MaxValue - size)
            throw new InvalidDataException($"it takes {size} bytes at {offset}");

        size = CheckSize((TensorDType)dtype, shape, size, isPartitioned: slices.Count > 0);
        return new TensorEntry(name, (TensorDType)dtype, shape, (int)shardId, offset, size, crc, slices);
    }

    public static byte[] Encode(TensorEntry entry)
    {
        var output = new List<byte>();
        WriteNumber(output, 1, (ulong)entry.DType);
        WriteMessage(output, 2, EncodeShape(entry.Shape));
        if (entry.IsPartitioned)
        {
            foreach (TensorSlice slice in entry.Slices)
                WriteMessage(output, 7, EncodeSlice(slice));
            return [.. output];
        }

        WriteNumber(output, 3, (ulong)entry.ShardId);
        WriteNumber(output, 4, (ulong)entry.Offset);
        WriteNumber(output, 5, (ulong)entry.Size);
        if (entry.MaskedCrc32C != 0)
        {
            WriteTag(output, 6, ProtoWireType.Fixed32);
            Span<byte> crc = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(crc, entry.MaskedCrc32C);
            output.AddRange(crc);
        }

        return [.. output];
    }

    /// <summary>The bytes of a tensor by its shape, where the type has a fixed size; they must be those stored.</summary>
    private static long CheckSize(TensorDType dtype, TensorShape shape, long stored, bool isPartitioned)
    {
        if (dtype.ElementSize() is not int elementSize) return stored;

        bool isCounted = shape.ElementCount <= long.MaxValue / elementSize;
        if (isCounted && (isPartitioned || shape.ElementCount * elementSize == stored)) return shape.ElementCount * elementSize;
        throw new InvalidDataException(
            $"its shape {shape} of {dtype.DisplayName()} takes {(Int128)shape.ElementCount * elementSize} bytes, but the index says {stored}");
    }

    private static TensorShape DecodeShape(ReadOnlySpan<byte> value)
    {
        var dimensions = new List<long>();
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            switch (number)
            {
                case 2: dimensions.Add(DecodeDimension(reader.ReadBytes())); break;
                case 3 when reader.ReadInt64() != 0: throw new InvalidDataException("its shape is unknown");
                case 3: break;
                default: reader.Skip(); break;
            }

            if (dimensions.Count > TensorShape.MaxRank) throw new InvalidDataException($"its shape has more than {TensorShape.MaxRank} dimensions");
        }

        long[] array = [.. dimensions];
        return TensorShape.TryCountElements(array, out _)
            ? new TensorShape(array)
            : throw new InvalidDataException($"its shape [{string.Join(", ", array.Take(8))}] is impossible");
    }

    private static long DecodeDimension(ReadOnlySpan<byte> value)
    {
        long size = 0;
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            if (number == 1)
                size = reader.ReadInt64();
            else
                reader.Skip();
        }

        return size;
    }

    private static TensorSlice DecodeSlice(ReadOnlySpan<byte> value)
    {
        var extents = new List<TensorExtent>();
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            if (number == 1)
                extents.Add(DecodeExtent(reader.ReadBytes()));
            else
                reader.Skip();
            if (extents.Count > TensorShape.MaxRank) throw new InvalidDataException($"a slice has more than {TensorShape.MaxRank} dimensions");
        }

        return new TensorSlice([.. extents]);
    }

    private static TensorExtent DecodeExtent(ReadOnlySpan<byte> value)
    {
        long start = 0;
        long? length = null;
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            switch (number)
            {
                case 1: start = reader.ReadInt64(); break;
                case 2: length = reader.ReadInt64(); break;
                default: reader.Skip(); break;
            }
        }

        return new TensorExtent(start, length);
    }

    private static List<byte> EncodeShape(TensorShape shape)
    {
        var output = new List<byte>();
        foreach (long dimension in shape.Dimensions)
        {
            var size = new List<byte>();
            WriteNumber(size, 1, (ulong)dimension);
            WriteMessage(output, 2, size);
        }

        return output;
    }

    private static List<byte> EncodeSlice(TensorSlice slice)
    {
        var output = new List<byte>();
        foreach (TensorExtent extent in slice.Extents)
        {
            var bounds = new List<byte>();
            WriteNumber(bounds, 1, (ulong)extent.Start);
            if (extent.Length is long length)
            {
                // In a oneof, a zero is written.
                WriteTag(bounds, 2, ProtoWireType.Varint);
                Varint.Write(bounds, (ulong)length);
            }

            WriteMessage(output, 1, bounds);
        }

        return output;
    }

    private static void WriteTag(List<byte> output, int number, ProtoWireType wireType) =>
        Varint.Write(output, ((ulong)number << 3) | (ulong)wireType);

    private static void WriteNumber(List<byte> output, int number, ulong value)
    {
        if (value == 0) return; // proto3 leaves out zeros
        WriteTag(output, number, ProtoWireType.Varint);
        Varint.Write(output, value);
    }

    private static void WriteMessage(List<byte> output, int number, List<byte> message)
    {
        WriteTag(output, number, ProtoWireType.Bytes);
        Varint.Write(output, (ulong)message.Count);
        output.AddRange(message);
    }
}
