namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>How a <see cref="TensorBundleWriter"/> lays a checkpoint out; the defaults are TensorFlow 1's, and so OpenAI's.</summary>
public sealed record TensorBundleWriterOptions
{
    /// <summary>The number of data files, from 1 to 99,999.</summary>
    public int ShardCount { get; init; } = 1;

    /// <summary>The bytes after which a block of the index is closed.</summary>
    public int BlockSize { get; init; } = 256 * 1024;

    /// <summary>The entries of a block after which a key is written in full again.</summary>
    public int RestartInterval { get; init; } = 16;

    /// <summary>Whether blocks of the index that shrink by an eighth are compressed with Snappy, as TensorFlow 2 does.</summary>
    public bool CompressIndex { get; init; }

    /// <summary>Whether the text file <c>checkpoint</c>, which names this checkpoint as its folder's newest, is written too.</summary>
    public bool WriteCheckpointFile { get; init; } = true;
}
