using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>Tensors that lie in mapped files of their own format.</summary>
/// <param name="location">What messages call it.</param>
/// <param name="files">The files, which are released when this is disposed.</param>
/// <param name="tensors">The tensors in them.</param>
internal sealed class MappedSource(string location, ShardMappings files, IReadOnlyList<StoredTensor> tensors) : ITensorSource
{
    private int _isDisposed;

    public string Location => location;

    public IReadOnlyList<string> DataFiles => files.Paths;

    public IReadOnlyList<StoredTensor> Tensors => tensors;

    public void ThrowIfChanged() => files.ThrowIfChanged();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0) files.ReleaseHold();
    }

    /// <summary>Maps a file and lists what is in it.</summary>
    /// <param name="path">The full path of the file.</param>
    /// <param name="list">Lists the tensors of a mapped file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">The file cannot be read, or has two tensors of the same name.</exception>
    public static MappedSource Open(string path, Func<ShardMappings, int, CancellationToken, IEnumerable<StoredTensor>> list, CancellationToken cancellationToken = default) =>
        Open(path, [path], list, cancellationToken);

    /// <summary>Maps the files that an index names, which lie beside it.</summary>
    /// <param name="indexPath">The full path of the index.</param>
    /// <param name="list">Lists the tensors of a mapped file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">The index or a file cannot be read, or a file lacks a tensor.</exception>
    public static MappedSource OpenSharded(
        string indexPath, Func<ShardMappings, int, CancellationToken, IEnumerable<StoredTensor>> list, CancellationToken cancellationToken = default)
    {
        var index = ShardIndex.Load(indexPath);
        MappedSource source = Open(indexPath, index.Files, list, cancellationToken);
        try
        {
            index.Check(source);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static MappedSource Open(
        string location, IReadOnlyList<string> paths, Func<ShardMappings, int, CancellationToken, IEnumerable<StoredTensor>> list, CancellationToken cancellationToken)
    {
        var files = new ShardMappings(paths);
        using var hold = new MappingHold(files);
        try
        {
            StoredTensor[] tensors = [.. Enumerable.Range(0, paths.Count).SelectMany(file => list(files, file, cancellationToken))];
            if (tensors.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new Gpt2Exception(Gpt2Error.Corrupt, $"'{location}' has the tensor '{twice.Key}' twice.", location);
            files.ThrowIfChanged();
            return new MappedSource(location, files, tensors);
        }
        catch
        {
            files.ReleaseHold();
            throw;
        }
    }
}
