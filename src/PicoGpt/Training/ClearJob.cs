using System.Runtime.InteropServices;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>Makes memory zero, divided by cache lines.</summary>
/// <param name="memory">The memory, in whole cache lines.</param>
internal sealed unsafe class ClearJob(AlignedBuffer memory) : Job
{
    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share((int)(memory.Length / Kernels.Lanes), part, parts);
        NativeMemory.Clear(memory.Data + ((nint)from * Kernels.Lanes), (nuint)(to - from) * Kernels.Lanes * sizeof(float));
    }
}
