using System.Globalization;

namespace PicoGpt.Files;

/// <summary>The names of a TensorFlow checkpoint's data files, of a model or of its weights in another precision.</summary>
internal static class ShardName
{
    /// <summary>What follows the prefix, as a regular expression.</summary>
    public const string Suffix = @"\.data-\d{5}-of-\d{5}";

    /// <summary>The path of one data file, from 0.</summary>
    public static string Of(string prefix, int shard, int shardCount) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}.data-{shard:d5}-of-{shardCount:d5}");
}
