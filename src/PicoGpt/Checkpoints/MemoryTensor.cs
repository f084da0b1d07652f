using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PicoGpt.Checkpoints;

/// <summary>A float32 tensor in memory, which can be written to; zeros at first.</summary>
/// <param name="name">The name.</param>
/// <param name="shape">The dimensions.</param>
internal sealed class MemoryTensor(string name, TensorShape shape) : StoredTensor(name, TensorDType.Float32, shape)
{
    // A vector that reaches over two cache lines takes two loads.
    private const int CacheLine = 64;

    private readonly Memory<float> _values = Aligned(checked((int)shape.ElementCount));
    private int _version;

    /// <summary>The values, for whoever makes the tensor; afterwards <see cref="BeginChange"/> tells of a change.</summary>
    public Memory<float> Values => _values;

    /// <summary>How often the values were changed.</summary>
    public int Version => Volatile.Read(ref _version);

    public override bool IsInPlace => true;

    public override long Size => (long)_values.Length * sizeof(float);

    public override string GetFingerprint(CancellationToken cancellationToken) => $"in memory {Version}";

    /// <summary>The values, to be changed.</summary>
    public Memory<float> BeginChange()
    {
        Interlocked.Increment(ref _version);
        return _values;
    }

    public override ReadOnlyMemory<byte> GetBytes() => MemoryMarshal.AsBytes(_values.Span).ToArray();

    public override ReadOnlyMemory<float> GetFloats() => _values;

    private static unsafe Memory<float> Aligned(int count)
    {
        float[] memory = GC.AllocateArray<float>(checked(count + (CacheLine / sizeof(float))), pinned: true);
        nint start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(memory));
        return memory.AsMemory((int)(-start & (CacheLine - 1)) / sizeof(float), count);
    }
}
