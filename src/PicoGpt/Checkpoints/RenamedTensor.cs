using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>A tensor under another name.</summary>
/// <param name="name">The name.</param>
/// <param name="tensor">The tensor.</param>
internal sealed class RenamedTensor(string name, StoredTensor tensor) : StoredTensor(name, tensor.DType, tensor.Shape)
{
    public override long Size => tensor.Size;

    public override string? Quantization => tensor.Quantization;

    public override string? File => tensor.File;

    public override int? Shard => tensor.Shard;

    public override long? Offset => tensor.Offset;

    public override uint? Crc32C => tensor.Crc32C;

    public override bool IsInPlace => tensor.IsInPlace;

    public override bool HasChecksum => tensor.HasChecksum;

    public override IReadOnlyList<string> Slices => tensor.Slices;

    public override string GetFingerprint(CancellationToken cancellationToken) => tensor.GetFingerprint(cancellationToken);

    public override void Verify(CancellationToken cancellationToken = default) => tensor.Verify(cancellationToken);

    public override FileHole? FindHole() => tensor.FindHole();

    public override ReadOnlyMemory<byte> GetBytes() => tensor.GetBytes();

    public override ReadOnlyMemory<float> GetFloats() => tensor.GetFloats();

    protected internal override StoredTensor? PortionOf(long first, long count) => tensor.PortionOf(first, count);

    public override byte[][] GetStrings() => tensor.GetStrings();
}
