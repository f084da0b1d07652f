using System.Collections.Concurrent;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Machine;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>
/// A GPT-2 model on disk: hyperparameters, weights and tokenizer. Opening it reads only the checkpoint's index; weights
/// and vocabulary are read when first used. It may be shared by any number of threads.
/// </summary>
public sealed class Gpt2Model : IDisposable
{
    private readonly ITensorSource _source;
    private readonly Lazy<Tokenizer> _encoder;
    private readonly string _vocabularyFolder;
    private readonly IDisposable? _use;
    private readonly Gpt2Model? _owner;
    private readonly ConcurrentDictionary<Gpt2Precision, Gpt2Model> _views = new();
    private readonly Lock _packing = new();
    private PackedWeights? _packed;
    private bool _isDisposed;

    private Gpt2Model(string name, string folder, ITensorSource source, Gpt2HyperParameters hyperParameters, Gpt2Precision precision, IDisposable? use)
    {
        _source = source;
        _use = use;
        Precision = precision;
        Name = name;
        Path = folder;
        HyperParameters = hyperParameters;
        Parameters = Gpt2Parameters.Load(source, hyperParameters);
        _vocabularyFolder = ModelFiles.FolderOfVocabulary(folder, hyperParameters);
        _encoder = new Lazy<Tokenizer>(source.Vocabulary ?? (() => VocabularyFormats.Open(_vocabularyFolder, hyperParameters.NVocab)));
    }

    private Gpt2Model(string name, Gpt2Model original, ITensorSource source)
    {
        (_source, _encoder, _vocabularyFolder) = (source, original._encoder, original._vocabularyFolder);
        (Name, Path, HyperParameters) = (name, "", original.HyperParameters);
        Parameters = Gpt2Parameters.Load(source, HyperParameters);
    }

    private Gpt2Model(Gpt2Model owner, Gpt2Precision precision)
    {
        (_owner, _source, _encoder, _vocabularyFolder) = (owner, owner._source, owner._encoder, owner._vocabularyFolder);
        (Name, Path, HyperParameters, Parameters) = (owner.Name, owner.Path, owner.HyperParameters, owner.Parameters);
        Precision = precision;
    }

    /// <summary>The model's name: the catalog's, or the folder's.</summary>
    public string Name { get; }

    /// <summary>The folder that holds the model's files; empty of a clone, whose weights are in memory.</summary>
    public string Path { get; }

    /// <summary>The shape of the architecture.</summary>
    public Gpt2HyperParameters HyperParameters { get; }

    /// <summary>How the matrices are held while the model runs; <see cref="Parameters"/> are the checkpoint's own whatever it is.</summary>
    public Gpt2Precision Precision { get; }

    /// <summary>The weights, as the tree that the architecture has.</summary>
    public Gpt2Parameters Parameters { get; }

    /// <summary>The weights' file, or the path that the names of the checkpoint's files begin with.</summary>
    internal string Prefix => _source.Location;

    /// <summary>The full paths of what the weights are read from.</summary>
    internal IEnumerable<string> WeightFiles => _source.DataFiles.Prepend(_source.Location);

    /// <summary>Whether the model has a vocabulary, or a part of one.</summary>
    internal bool HasVocabulary => _source.Vocabulary is not null || VocabularyFormats.IsIn(_vocabularyFolder);

    /// <summary>The number of trainable parameters.</summary>
    public long ParameterCount => HyperParameters.ParameterCount;

    /// <summary>The tokenizer.</summary>
    /// <exception cref="Gpt2Exception">A file of the vocabulary is missing or not as it should be.</exception>
    public Tokenizer Encoder => _encoder.Value;

    /// <summary>The id of <c>&lt;|endoftext|&gt;</c>.</summary>
    /// <exception cref="Gpt2Exception">The vocabulary has no such token.</exception>
    internal int EndOfText => Encoder.EndOfText ?? throw new Gpt2Exception(
        Gpt2Error.InvalidArgument,
        $"The prompt is empty, and the vocabulary of {Name} has no <|endoftext|> to start from; give a prompt.",
        Path);

    /// <summary>The ids with which the model ends a text.</summary>
    internal IReadOnlySet<int> EndOfTextIds => Encoder.EndOfText is { } id ? new HashSet<int> { id } : new HashSet<int>();

    /// <summary>Opens a model.</summary>
    /// <param name="path">
    /// The model's folder, in OpenAI's layout, Hugging Face's or that of an export, or the file of its weights; of a TensorFlow checkpoint
    /// the prefix or any of its files.
    /// </param>
    /// <param name="name">The model's name; <see langword="null"/> for the folder's.</param>
    /// <param name="precision">How the matrices are to be held while the model runs.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">A file is missing, truncated or of another kind, or the tensors make no GPT-2.</exception>
    public static Gpt2Model Open(string path, string? name = null, Gpt2Precision precision = Gpt2Precision.Float32) =>
        Open(path, name, precision, use: null);

    /// <param name="path">The model's folder, the checkpoint's prefix, or any of its files.</param>
    /// <param name="name">The model's name; <see langword="null"/> for the folder's.</param>
    /// <param name="precision">How the matrices are to be held while the model runs.</param>
    /// <param name="use">What tells others that the model is open; disposed with it.</param>
    internal static Gpt2Model Open(string path, string? name, Gpt2Precision precision, IDisposable? use)
    {
        ITensorSource source = ModelFiles.OpenWeights(path);
        try
        {
            string folder = System.IO.Path.GetDirectoryName(source.Location)!;
            Gpt2HyperParameters hyperParameters = ModelFiles.ReadHyperParameters(folder, source);
            var model = new Gpt2Model(name ?? System.IO.Path.GetFileName(folder), folder, source, hyperParameters, precision, use);
            source.EnsureComplete();
            return model;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>The same model, held in another precision while it runs. It shares this one's files and is closed with it.</summary>
    /// <param name="precision">The precision.</param>
    /// <returns>The model itself where it is of that precision.</returns>
    /// <exception cref="Gpt2Exception">The model is a clone, whose weights may change.</exception>
    public Gpt2Model WithPrecision(Gpt2Precision precision)
    {
        Gpt2Model owner = _owner ?? this;
        if (_source is MemorySource && precision != owner.Precision)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"{Name} is a model whose weights can be changed, and runs in Float32; export it, and open that in {precision}.");
        }

        return precision == owner.Precision ? owner : owner._views.GetOrAdd(precision, wanted => new Gpt2Model(owner, wanted));
    }

    /// <summary>
    /// A copy whose weights are in memory, as float32, and can be changed: what a trainer starts from. It needs no file of this model,
    /// but for the vocabulary, and is written to disk by an export. It must not be changed while it generates.
    /// </summary>
    /// <param name="name">Its name; <see langword="null"/> for this model's with a remark.</param>
    /// <returns>The copy.</returns>
    /// <exception cref="Gpt2Exception">The memory does not suffice, or the weights are damaged.</exception>
    public Gpt2Model Clone(string? name = null)
    {
        ThrowIfDisposed();
        long bytes = ParameterCount * sizeof(float), free = AvailableMemory.Bytes;
        if (bytes > free)
        {
            throw new Gpt2Exception(
                Gpt2Error.InsufficientMemory, $"A copy of {Name} takes {bytes >> 20:N0} MiB of memory, but only {free >> 20:N0} MiB are free.", Path);
        }

        name ??= $"{Name} (clone)";
        try
        {
            return new Gpt2Model(name, this, new MemorySource(name, [.. Parameters.Select(weight => weight.ToMemory())]));
        }
        catch (OutOfMemoryException fault) // the operating system counts other processes' memory too, and the runtime may have less
        {
            throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"A copy of {Name} takes {bytes >> 20:N0} MiB of memory, which could not be had.", Path, fault);
        }
    }

    /// <summary>
    /// Makes the weights ready: in a reduced precision they are converted, once, into a file beside the checkpoint. A computation
    /// does it itself where it was not done before.
    /// </summary>
    /// <param name="progress">Told the share that is done, from 0 to 1; from any thread.</param>
    /// <param name="cancellationToken">Ends it; nothing is left of it.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Prepare(IProgress<double>? progress = null, CancellationToken cancellationToken = default) => Pack(progress, cancellationToken);

    /// <summary>Closes the files; a computation that is under way keeps what it needs until it ends.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        lock (_packing) _packed?.Dispose();
        foreach (Gpt2Model view in _views.Values) view.Dispose();
        if (_owner is null) _source.Dispose();
        _use?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The matrices in the model's precision; <see langword="null"/> for float32.</summary>
    internal PackedWeights? Pack(IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        if (Precision == Gpt2Precision.Float32) return null;
        lock (_packing)
        {
            ThrowIfDisposed();
            return _packed ??= PackedWeights.Open(Parameters, Path, Precision, progress, cancellationToken: cancellationToken);
        }
    }

    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    internal void ThrowIfChanged()
    {
        _source.ThrowIfChanged();
        _packed?.ThrowIfChanged();
    }

    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    internal void ThrowIfDisposed()
    {
        if (_isDisposed || _owner is { _isDisposed: true })
            throw new ObjectDisposedException(Name, $"The model {Name} was closed; open it again with Get-Gpt2Model.");
    }
}
