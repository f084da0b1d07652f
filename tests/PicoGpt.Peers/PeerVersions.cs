using System.Reflection;

namespace PicoGpt.Peers;

/// <summary>The versions of the packages that are compared, as the project pins them.</summary>
internal static class PeerVersions
{
    private static readonly string[] Packages = ["LLamaSharp", "Microsoft.ML.OnnxRuntime", "Microsoft.ML.OnnxRuntimeGenAI", "TorchSharp"];

    public static string All { get; } = string.Join(", ", Packages.Select(name => $"{name} {Of(name)}"));

    private static string? Of(string package) =>
        typeof(PeerVersions).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == package).Value;
}
