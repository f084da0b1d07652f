namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The value of a checkpoint index's first key, the empty one (BundleHeaderProto, tensor_bundle.proto).</summary>
internal readonly record struct BundleHeader(int ShardCount, bool IsBigEndian, long MinimumConsumer)
{
    /// <summary>The version of the format that TensorFlow writes and this reader understands.</summary>
    public const int Version = 1;

    /// <summary>Shard numbers have five digits in the names of the data files.</summary>
    public const int MaxShardCount = 99_999;

    /// <summary>Whether the value is instead that of TensorFlow's first checkpoint format (SavedTensorSlices).</summary>
    public static bool IsFirstFormat(ReadOnlySpan<byte> value)
    {
        var reader = new ProtoReader(value);
        return reader.TryReadField(out int number) && number == 1 && reader.Is(ProtoWireType.Bytes);
    }

    public static BundleHeader Decode(ReadOnlySpan<byte> value)
    {
        long shardCount = 0, endianness = 0, minimumConsumer = 0;
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            switch (number)
            {
                case 1: shardCount = reader.ReadInt64(); break;
                case 2: endianness = reader.ReadInt64(); break;
                case 3: minimumConsumer = DecodeMinimumConsumer(reader.ReadBytes()); break;
                default: reader.Skip(); break;
            }
        }

        if (shardCount is < 1 or > MaxShardCount) throw new InvalidDataException($"its header speaks of {shardCount} data files");
        return new BundleHeader((int)shardCount, endianness != 0, minimumConsumer);
    }

    public byte[] Encode()
    {
        var output = new List<byte>();
        Varint.Write(output, (1 << 3) | (int)ProtoWireType.Varint);
        Varint.Write(output, (ulong)ShardCount);
        Varint.Write(output, (3 << 3) | (int)ProtoWireType.Bytes);
        output.AddRange([2, (1 << 3) | (int)ProtoWireType.Varint, Version]); // VersionDef, two bytes: producer
        return [.. output];
    }

    private static long DecodeMinimumConsumer(ReadOnlySpan<byte> value)
    {
        long minimumConsumer = 0;
        var reader = new ProtoReader(value);
        while (reader.TryReadField(out int number))
        {
            if (number == 2)
                minimumConsumer = reader.ReadInt64();
            else
                reader.Skip();
        }

        return minimumConsumer;
    }
}
