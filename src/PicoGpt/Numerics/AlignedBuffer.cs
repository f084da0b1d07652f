using System.Runtime.InteropServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Float32 memory outside the garbage collector's heap, aligned to a cache line and zero. Large buffers cost no pages
/// until they are touched, and every buffer goes back at once when disposed.
/// </summary>
internal sealed unsafe class AlignedBuffer : SafeHandle
{
    private const int Alignment = 64;

    public AlignedBuffer(long elements)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elements);
        Length = elements;
        SetHandle((nint)NativeMemory.AllocZeroed(checked((nuint)elements * sizeof(float) + Alignment)));
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    public float* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (float*)((handle + Alignment - 1) & ~(nint)(Alignment - 1));
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
