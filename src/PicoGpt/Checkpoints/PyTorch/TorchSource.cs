using PicoGpt.Architecture;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>The weights in a file of PyTorch's, and what the model was made with where the file tells.</summary>
internal sealed class TorchSource : ITensorSource
{
    private readonly MappedSource _source;

    private readonly TorchContent _content;

    private TorchSource(MappedSource source, TorchContent content) => (_source, _content) = (source, content);

    public string Location => _source.Location;

    public IReadOnlyList<string> DataFiles => _source.DataFiles;

    public IReadOnlyList<StoredTensor> Tensors => _source.Tensors;

    public Gpt2HyperParameters? HyperParameters => TorchHyperParameters.Read(this);

    /// <summary>The arguments by name, as <see cref="TorchContent.Arguments"/>.</summary>
    public IReadOnlyDictionary<string, object?> Arguments => _content.Arguments;

    // nanoGPT's out-shakespeare-char/ckpt.pt and data/shakespeare_char/meta.pkl (sample.py). A name of a file leads to no other folder.
    public string? VocabularyFolder => _content.Dataset is { Length: > 0 } name && name is not ("." or "..") && !name.AsSpan().ContainsAny("/\\:\0")
        ? Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Location)) ?? "", "data", name)
        : null;

    /// <summary>Maps a file.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">It is damaged, of another format, or holds no weights.</exception>
    public static TorchSource Open(string path, CancellationToken cancellationToken = default)
    {
        TorchContent? content = null;
        var source = MappedSource.Open(path, List, cancellationToken);
        return new TorchSource(source, content!);

        IEnumerable<StoredTensor> List(ShardMappings files, int number, CancellationToken cancellationToken)
        {
            (StoredTensor[] tensors, content) = TorchArchive.Read(files, number, cancellationToken);
            return tensors;
        }
    }

    public void ThrowIfChanged() => _source.ThrowIfChanged();

    public void Dispose() => _source.Dispose();
}
