namespace PicoGpt.Checkpoints;

/// <summary>A tensor of zeros that no file holds: what a weight is that a checkpoint is without.</summary>
/// <param name="name">The name that it would have.</param>
/// <param name="shape">The dimensions.</param>
internal sealed class ZeroTensor(string name, TensorShape shape) : StoredTensor(name, TensorDType.Float32, shape)
{
    public override long Size => 0;

    public override string GetFingerprint(CancellationToken cancellationToken) => "zeros";

    public override ReadOnlyMemory<byte> GetBytes() => new byte[Shape.ElementCount * sizeof(float)];

    public override ReadOnlyMemory<float> GetFloats() => new float[Shape.ElementCount];
}
