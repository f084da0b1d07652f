using PicoGpt.Architecture;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>The weights in a file of PyTorch's, and what the model was made with where the file tells.</summary>
internal sealed class TorchSource : ITensorSource
{
    private readonly MappedSource _source;

    private TorchSource(MappedSource source, IReadOnlyDictionary<string, object?> arguments) => (_source, Arguments) = (source, arguments);

    public string Location => _source.Location;

    public IReadOnlyList<string> DataFiles => _source.DataFiles;

    public IReadOnlyList<StoredTensor> Tensors => _source.Tensors;

    public Gpt2HyperParameters? HyperParameters => TorchHyperParameters.Read(this);

    /// <summary>The arguments by name, as <see cref="TorchContent.Arguments"/>.</summary>
    public IReadOnlyDictionary<string, object?> Arguments { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="Gpt2Exception">It is damaged, of another format, or holds no weights.</exception>
    public static TorchSource Open(string path)
    {
        IReadOnlyDictionary<string, object?>? arguments = null;
        var source = MappedSource.Open(path, List);
        return new TorchSource(source, arguments!);

        IEnumerable<StoredTensor> List(ShardMappings files, int number)
        {
            (StoredTensor[] tensors, arguments) = TorchArchive.Read(files, number);
            return tensors;
        }
    }

    public void ThrowIfChanged() => _source.ThrowIfChanged();

    public void Dispose() => _source.Dispose();
}
