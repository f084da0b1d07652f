using System.Text.RegularExpressions;

namespace PicoGpt.Files;

/// <summary>The folder, beside a model's files, of its weights in other precisions: what writes it and what deletes it agree on its names.</summary>
internal static partial class ConvertedFolder
{
    /// <summary>The folder's name.</summary>
    public const string Name = "converted";

    /// <summary>What the name of a file's digest ends in, behind the name of the file.</summary>
    public const string DigestSuffix = ".sha256";

    /// <summary>Whether a file of that name was written there, or left there by a crash while it was being written.</summary>
    public static bool IsOwn(string fileName) => OwnName().IsMatch(fileName);

    [GeneratedRegex(@"^(float16|bfloat16|int8|int4)(\.index|" + ShardName.Suffix + @")(\.[0-9a-f]{32}(\.old)?\.tmp)?$|\.sha256(\.[0-9a-f]{32}(\.old)?\.tmp)?$")]
    private static partial Regex OwnName();
}
