namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>A tensor of a TensorFlow checkpoint.</summary>
internal sealed class BundleTensor(TensorBundle bundle, TensorEntry entry) : StoredTensor(entry.Name, entry.DType, entry.Shape)
{
    public override long Size => entry.Size;

    public override string Fingerprint => $"{entry.Crc32C:x8}";

    public override void Verify() => bundle.Verify(entry);

    public override ReadOnlyMemory<byte> GetBytes() => bundle.GetBytes(entry);

    public override ReadOnlyMemory<float> GetFloats() => bundle.GetFloats(entry);
}
