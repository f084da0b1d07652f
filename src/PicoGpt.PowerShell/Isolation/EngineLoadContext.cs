using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Microsoft.Win32.SafeHandles;

namespace PicoGpt.PowerShell.Isolation;

/// <summary>
/// The load context of the engine and of everything it depends on, all from one folder beside this assembly. A session may hold
/// other versions of the same libraries in its own context; neither side sees the other's.
/// </summary>
internal sealed class EngineLoadContext : AssemblyLoadContext
{
    /// <summary>The engine's simple name.</summary>
    public const string EngineName = "PicoGpt";

    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(typeof(EngineLoadContext).Assembly.Location)!, "lib");

    // What a file that is compiled ahead of time for this platform has in its name: "linux-x64".
    private static readonly string Platform = string.Join(
        '-',
        OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : OperatingSystem.IsLinux() ? "linux" : "none",
        RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant());

    private EngineLoadContext()
        : base(EngineName)
    {
    }

    /// <summary>The one context of the process: every runspace shares the engine, and models with it.</summary>
    public static EngineLoadContext Instance { get; } = new();

    /// <inheritdoc/>
    /// <remarks>
    /// A file that is compiled for this platform is preferred to the one for every platform, which does the same, later. What is not in the
    /// folder is the framework's, which all contexts share.
    /// </remarks>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string path = Path.Combine(Folder, assemblyName.Name + ".dll");
        if (!File.Exists(path)) return null;
        return TryLoad(Path.Combine(Folder, $"{assemblyName.Name}.{Platform}.dll")) ?? LoadFromAssemblyPath(path);
    }

    // Nothing of a file that is missing, damaged or another platform's. Of the last kind the runtime notices only when it cannot go back.
    private Assembly? TryLoad(string path)
    {
        try
        {
            return File.Exists(path) && MachineOf(path) == MachineOf(typeof(object).Assembly.Location) ? LoadFromAssemblyPath(path) : null;
        }
        catch (Exception fault) when (fault is BadImageFormatException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    // Processor and system in one number, which the header of compiled code has after its four bytes of signature; the file says at 60 where that is.
    private static ushort MachineOf(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        Span<byte> field = stackalloc byte[sizeof(uint)];
        _ = RandomAccess.Read(file, field, 60);
        _ = RandomAccess.Read(file, field, BinaryPrimitives.ReadUInt32LittleEndian(field) + 4L);
        return BinaryPrimitives.ReadUInt16LittleEndian(field);
    }
}
