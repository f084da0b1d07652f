using System.Runtime.InteropServices;

namespace PicoGpt.Peers.Torch;

/// <summary>libtorch's native part.</summary>
internal static class TorchLibrary
{
    /// <summary>Loads it. Where that cannot be done, the system says why; TorchSharp would say that a package is missing.</summary>
    public static void Load() => NativeLibrary.Load("LibTorchSharp", typeof(TorchLibrary).Assembly, DllImportSearchPath.AssemblyDirectory);
}
