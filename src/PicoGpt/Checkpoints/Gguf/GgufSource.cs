using PicoGpt.Architecture;
using PicoGpt.Files;
using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>The tensors of a GGUF file, and what it says of its model.</summary>
internal sealed class GgufSource : ITensorSource
{
    private readonly MappedSource _source;

    private GgufSource(MappedSource source, GgufMetadata metadata) => (_source, Metadata) = (source, metadata);

    public string Location => _source.Location;

    public IReadOnlyList<string> DataFiles => _source.DataFiles;

    public IReadOnlyList<StoredTensor> Tensors => _source.Tensors;

    public Gpt2HyperParameters? HyperParameters => GgufHyperParameters.Read(this);

    public WeightNaming? Naming => WeightNaming.Gguf;

    public Func<CancellationToken, Tokenizer>? Vocabulary => GgufVocabulary.IsIn(Metadata)
        ? cancellationToken => GgufVocabulary.Read(Metadata, HyperParameters!.NVocab, cancellationToken)
        : null;

    public SpecialIds? SpecialIds => GgufVocabulary.IsIn(Metadata) ? GgufVocabulary.ReadIds(Metadata) : null;

    /// <summary>The metadata; to be read while this is not disposed.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">It is damaged, of another format, or of a kind that is not read.</exception>
    public static GgufSource Open(string path, CancellationToken cancellationToken = default)
    {
        GgufMetadata? metadata = null;
        var source = MappedSource.Open(path, List, cancellationToken);
        return new GgufSource(source, metadata!);

        IEnumerable<StoredTensor> List(ShardMappings files, int number, CancellationToken cancellationToken)
        {
            (metadata, StoredTensor[] tensors) = GgufFile.Read(files, number, cancellationToken);
            return tensors;
        }
    }

    public void ThrowIfChanged() => _source.ThrowIfChanged();

    public void Dispose() => _source.Dispose();
}
