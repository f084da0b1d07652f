namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>A tensor of a TensorFlow checkpoint.</summary>
internal sealed class BundleTensor(TensorBundle bundle, TensorEntry entry) : StoredTensor(entry.Name, entry.DType, entry.Shape)
{
    public override long Size => entry.Size;

    public override string? File => entry.IsPartitioned ? null : bundle.GetShardPath(entry.ShardId);

    public override int? Shard => entry.IsPartitioned ? null : entry.ShardId;

    public override long? Offset => entry.IsPartitioned ? null : entry.Offset;

    public override uint? Crc32C => entry.IsPartitioned ? null : entry.Crc32C;

    public override bool IsInPlace => TensorBundle.IsInPlace(entry);

    public override bool HasChecksum => true;

    public override IReadOnlyList<string> Slices => Array.ConvertAll([.. entry.Slices], slice => slice.ToString());

    public override string GetFingerprint(CancellationToken cancellationToken) => $"{entry.Crc32C:x8}";

    public override void Verify(CancellationToken cancellationToken = default) => bundle.Verify(entry, cancellationToken);

    public override ReadOnlyMemory<byte> GetBytes() => bundle.GetBytes(entry);

    public override ReadOnlyMemory<float> GetFloats() => bundle.GetFloats(entry);

    protected internal override StoredTensor? PortionOf(long first, long count) => bundle.PortionOf(entry, first, count);

    public override byte[][] GetStrings() => bundle.ReadStrings(entry);
}
