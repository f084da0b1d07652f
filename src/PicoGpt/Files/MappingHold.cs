namespace PicoGpt.Files;

/// <summary>Keeps a checkpoint's files mapped until it is disposed.</summary>
internal sealed class MappingHold : IDisposable
{
    private ShardMappings? _mappings;

    public MappingHold(ShardMappings mappings)
    {
        mappings.AddHold();
        _mappings = mappings;
    }

    public void Dispose() => Interlocked.Exchange(ref _mappings, null)?.ReleaseHold();
}
