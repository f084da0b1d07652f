using System.Runtime.InteropServices;

namespace PicoGpt.Checkpoints;

/// <summary>A float32 tensor in memory, which can be written to.</summary>
/// <param name="name">The name.</param>
/// <param name="shape">The dimensions.</param>
/// <param name="values">As many values as the shape has.</param>
internal sealed class MemoryTensor(string name, TensorShape shape, float[] values) : StoredTensor(name, TensorDType.Float32, shape)
{
    private int _version;

    /// <summary>How often the values were changed.</summary>
    public int Version => Volatile.Read(ref _version);

    public override long Size => (long)values.Length * sizeof(float);

    public override string GetFingerprint(CancellationToken cancellationToken) => $"in memory {Version}";

    /// <summary>The values, to be changed.</summary>
    public Memory<float> BeginChange()
    {
        Interlocked.Increment(ref _version);
        return values;
    }

    public override ReadOnlyMemory<byte> GetBytes() => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    public override ReadOnlyMemory<float> GetFloats() => values;
}
