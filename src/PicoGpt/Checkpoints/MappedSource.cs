namespace PicoGpt.Checkpoints;

/// <summary>Tensors that lie in mapped files of their own format.</summary>
/// <param name="location">What sentences call it.</param>
/// <param name="files">The files; let go of when this is disposed.</param>
/// <param name="tensors">The tensors in them.</param>
internal sealed class MappedSource(string location, ShardMappings files, IReadOnlyList<StoredTensor> tensors) : ITensorSource
{
    private int _isDisposed;

    public string Location => location;

    public IReadOnlyList<string> DataFiles => files.Paths;

    public IReadOnlyList<StoredTensor> Tensors => tensors;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0) files.ReleaseHold();
    }

    /// <summary>Maps files and lists what is in each.</summary>
    /// <param name="location">What sentences call all of them.</param>
    /// <param name="paths">The full paths of the files.</param>
    /// <param name="list">Lists the tensors of one mapped file.</param>
    /// <exception cref="Gpt2Exception">A file cannot be read, or two of them have a tensor of the same name.</exception>
    public static MappedSource Open(
        string location, IReadOnlyList<string> paths, Func<ShardMappings, int, IEnumerable<StoredTensor>> list)
    {
        var files = new ShardMappings(paths);
        try
        {
            StoredTensor[] tensors = [.. Enumerable.Range(0, paths.Count).SelectMany(file => list(files, file))];
            if (tensors.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new Gpt2Exception(Gpt2Error.Corrupt, $"'{location}' has the tensor '{twice.Key}' twice.", location);
            return new MappedSource(location, files, tensors);
        }
        catch
        {
            files.ReleaseHold();
            throw;
        }
    }
}
