namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>What a checkpoint's index says of one tensor (BundleEntryProto, tensor_bundle.proto).</summary>
public sealed record TensorEntry
{
    internal TensorEntry(
        string name,
        TensorDType dtype,
        TensorShape shape,
        int shardId,
        long offset,
        long size,
        uint maskedCrc32C,
        IReadOnlyList<TensorSlice> slices)
    {
        Name = name;
        DType = dtype;
        Shape = shape;
        ShardId = shardId;
        Offset = offset;
        Size = size;
        MaskedCrc32C = maskedCrc32C;
        Slices = slices;
    }

    /// <summary>The name, as the checkpoint has it.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public TensorDType DType { get; }

    /// <summary>The dimensions, outermost first.</summary>
    public TensorShape Shape { get; }

    /// <summary>The data file that holds the tensor, from 0; meaningless when the tensor is partitioned.</summary>
    public int ShardId { get; }

    /// <summary>Where the tensor starts in its data file, in bytes; meaningless when the tensor is partitioned.</summary>
    public long Offset { get; }

    /// <summary>The bytes of the tensor; of a partitioned one, of all its slices together.</summary>
    public long Size { get; }

    /// <summary>The CRC32C in the masked form in which it is stored; 0 when the tensor is partitioned.</summary>
    public uint MaskedCrc32C { get; }

    /// <summary>The CRC32C of the tensor's bytes, unmasked; meaningless when the tensor is partitioned.</summary>
    public uint Crc32C => Files.Crc32C.Unmask(MaskedCrc32C);

    /// <summary>The slices of a partitioned tensor; empty for an ordinary one.</summary>
    public IReadOnlyList<TensorSlice> Slices { get; }

    /// <summary>Whether the tensor is stored as slices, each with an entry of its own.</summary>
    public bool IsPartitioned => Slices.Count > 0;
}
