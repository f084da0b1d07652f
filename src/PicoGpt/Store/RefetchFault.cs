namespace PicoGpt.Store;

/// <summary>Bytes that arrived are useless: the file changed at its source in the meantime, or they are not what they should be.</summary>
internal sealed class RefetchFault(Gpt2Error error, string message, IReadOnlyList<ByteRange>? damaged = null) : Exception(message)
{
    public Gpt2Error Error { get; } = error;

    /// <summary>What to fetch again; <see langword="null"/> for everything.</summary>
    public IReadOnlyList<ByteRange>? Damaged { get; } = damaged;
}
