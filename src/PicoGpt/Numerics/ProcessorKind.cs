using System.Runtime.Intrinsics.X86;

namespace PicoGpt.Numerics;

/// <summary>Whose processor it is, where kernels do best in different ways. No result depends on it.</summary>
internal static class ProcessorKind
{
    private const int Genu = 0x756E6547, IneI = 0x49656E69, Ntel = 0x6C65746E; // the vendor's name, "GenuineIntel"

    /// <summary>Whether it is Intel's.</summary>
    public static bool IsIntel { get; } = Read();

    private static bool Read()
    {
        if (!X86Base.IsSupported) return false;
        (_, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        return (ebx, edx, ecx) == (Genu, IneI, Ntel);
    }
}
