using System.Collections.Concurrent;
using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>
/// What all views of a model share: the source of its weights, the tree over them, the tokenizer, and the matrices in every reduced
/// precision that was asked for. It may be used and closed from any thread.
/// </summary>
internal sealed class ModelCore : IDisposable
{
    private readonly ITensorSource _source;
    private readonly Lock _reading = new();
    private readonly Func<CancellationToken, Tokenizer> _readEncoder;
    private readonly Lazy<SpecialIds> _specialIds;
    private readonly string _vocabularyFolder;
    private readonly bool _bringsVocabulary;
    private readonly IDisposable? _use;
    private readonly ConcurrentDictionary<Gpt2Precision, PackedSlot> _packed = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _beginning = new();
    private readonly Lock _residing = new();
    private readonly Dictionary<Gpt2Precision, ResidentWeights> _resident = [];
    private Task? _begun; // beside the model's user, until it is closed
    private Tokenizer? _encoder;
    private bool _isClosed;

    /// <param name="name">The model's name.</param>
    /// <param name="folder">The folder that holds its files.</param>
    /// <param name="source">Its weights; closed with it.</param>
    /// <param name="shape">Its shape, as the files tell it.</param>
    /// <param name="use">What tells others that the model is open; disposed with it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">The tensors do not make a GPT-2 of that shape.</exception>
    public ModelCore(string name, string folder, ITensorSource source, ModelShape shape, IDisposable? use, CancellationToken cancellationToken)
    {
        (_source, _use, _bringsVocabulary) = (source, use, source.Vocabulary is not null);
        (Name, Path, Assumption) = (name, folder, shape.Assumption);
        Gpt2HyperParameters hyperParameters = shape.HyperParameters;
        Parameters = Gpt2Parameters.Load(source, hyperParameters, cancellationToken);
        if (hyperParameters.TieWordEmbeddings && !Parameters.HyperParameters.TieWordEmbeddings && shape.Config is { } config)
            Contradiction = ModelFiles.UntiedOf(Parameters.LmHead.Stored.Name, source.Location, config);
        string vocabularyFolder = _vocabularyFolder = ModelFiles.FolderOfVocabulary(folder, source, hyperParameters);
        _readEncoder = source.Vocabulary is { } carried
            ? carried
            : cancellationToken => VocabularyFormats.Open(vocabularyFolder, hyperParameters.NVocab, cancellationToken);
        _specialIds = new Lazy<SpecialIds>(() => ModelFiles.ReadSpecialIds(folder, source, Encoder));
    }

    /// <param name="name">The clone's name.</param>
    /// <param name="original">What is cloned; the clone shares its tokenizer.</param>
    /// <param name="source">The clone's weights.</param>
    private ModelCore(string name, ModelCore original, MemorySource source)
    {
        (_source, _readEncoder, _specialIds, _vocabularyFolder) = (source, original.ReadEncoder, original._specialIds, original._vocabularyFolder);
        (Name, Path, Assumption, Contradiction, _bringsVocabulary) = (name, "", original.Assumption, original.Contradiction, original._bringsVocabulary);
        Parameters = Gpt2Parameters.Load(source, original.HyperParameters);
    }

    /// <param name="original">The model without the adapter; the vocabulary is its own.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="use">What is disposed with it.</param>
    private ModelCore(ModelCore original, AdapterFile adapter, IDisposable? use)
    {
        Path = System.IO.Path.GetDirectoryName(adapter.Path)!;
        Name = $"{original.Name} + {System.IO.Path.GetFileName(Path)}";
        AdapterOf = original.IsClone ? null : original.Prefix;
        (_readEncoder, _specialIds, _vocabularyFolder, _use) = (original.ReadEncoder, original._specialIds, original._vocabularyFolder, use);
        (Assumption, Contradiction, _bringsVocabulary) = (original.Assumption, original.Contradiction, original._bringsVocabulary);
        _source = new AdaptedSource(adapter, original._source, [.. original.Parameters.Select(weight => weight.Adapted(adapter))]);
        Parameters = Gpt2Parameters.Load(_source, original.HyperParameters);
    }

    /// <param name="name">The name of a model that no file is of.</param>
    /// <param name="hyperParameters">Its shape.</param>
    /// <param name="source">Its weights.</param>
    /// <param name="encoder">Its tokenizer.</param>
    public ModelCore(string name, Gpt2HyperParameters hyperParameters, MemorySource source, Tokenizer encoder)
    {
        (_source, _readEncoder, _vocabularyFolder, _bringsVocabulary) = (source, _ => encoder, "", true);
        _specialIds = new Lazy<SpecialIds>(new SpecialIds(encoder.EndOfText, encoder.EndOfText is { } end ? [end] : []));
        (Name, Path) = (name, "");
        Parameters = Gpt2Parameters.Load(source, hyperParameters);
    }

    public string Name { get; }

    /// <summary>The folder that holds the files; empty of a clone, the adapter's of a model with one.</summary>
    public string Path { get; }

    /// <summary>Of a model with an adapter, what <see cref="Prefix"/> is of the model without; <see langword="null"/> of any other, and where that is in memory.</summary>
    public string? AdapterOf { get; }

    /// <summary>Whether the model has an adapter, whose files are its own.</summary>
    public bool IsAdapted => _source is AdaptedSource;

    /// <summary>What of the shape was assumed; <see langword="null"/> where nothing was.</summary>
    public string? Assumption { get; }

    /// <summary>What in the files contradicts what else is in them; <see langword="null"/> where nothing is known to.</summary>
    public string? Contradiction { get; }

    /// <summary>The shape, confirmed by the tensors.</summary>
    public Gpt2HyperParameters HyperParameters => Parameters.HyperParameters;

    public Gpt2Parameters Parameters { get; }

    public Tokenizer Encoder => ReadEncoder(default);

    /// <summary>The ids with which texts begin and end.</summary>
    public SpecialIds SpecialIds => _specialIds.Value;

    /// <summary>The tokenizer, read where it was not read before.</summary>
    /// <exception cref="Gpt2Exception">A file of the vocabulary is missing or not as it should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Tokenizer ReadEncoder(CancellationToken cancellationToken)
    {
        lock (_reading) return _encoder ??= _readEncoder(cancellationToken);
    }

    /// <summary>Does work beside what the caller does next, unless such work was begun before. A fault of it is nobody's.</summary>
    /// <param name="work">The work; its token is cancelled when the model is closed.</param>
    /// <returns>What ends with the work.</returns>
    public Task BeginOnce(Action<CancellationToken> work)
    {
        lock (_beginning)
        {
            if (_begun is null && Volatile.Read(ref _isClosed)) return Task.CompletedTask;
            return _begun ??= Task.Run(() => Try(() => work(_closing.Token)));
        }
    }

    /// <summary>Whether the weights are in memory, where they can be changed.</summary>
    public bool IsClone => _source is MemorySource;

    /// <summary>The weights' file, or the path that the names of the checkpoint's files begin with.</summary>
    public string Prefix => _source.Location;

    /// <summary>Whether a path leads to a file that the weights are read from, by whatever name.</summary>
    public bool IsReadFrom(string path)
    {
        FileIdentity? identity = FileIdentity.TryOf(path);
        return _source.DataFiles.Prepend(_source.Location).Concat(_source.OtherFiles).Any(file => string.Equals(file, path, StringComparison.Ordinal)
            || (identity is { } known && FileIdentity.TryOf(file) is { } other && known.IsSameFile(other)));
    }

    /// <summary>Whether the model has a vocabulary, or a part of one.</summary>
    public bool HasVocabulary => _bringsVocabulary || VocabularyFormats.IsIn(_vocabularyFolder);

    /// <summary>A copy of the weights in memory.</summary>
    public ModelCore Clone(string name) => new(name, WithVocabulary(), new MemorySource(name, [.. Parameters.Select(weight => weight.ToMemory())]));

    /// <summary>The model with an adapter.</summary>
    /// <exception cref="Gpt2Exception">The adapter cannot be read, or was trained on another model.</exception>
    public ModelCore Adapt(string path, IDisposable? use)
    {
        var adapter = AdapterFile.Read(path, HyperParameters, Name);
        if (adapter.BaseDigest is { } trainedOn && Parameters.VectorDigest is { } own && trainedOn != own)
        {
            throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture,
                $"The adapter '{adapter.Path}' was trained on another model of the shape of {Name}, '{adapter.Config.BaseModel}'; give it with that one.",
                adapter.Path);
        }

        return new ModelCore(this, adapter, use);
    }

    /// <summary>The matrices in a precision, converted where that was not done before; <see langword="null"/> for float32.</summary>
    /// <exception cref="ObjectDisposedException">The model is closed, or was while they were converted.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public PackedWeights? Pack(Gpt2Precision precision, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        if (precision == Gpt2Precision.Float32) return null;
        PackedSlot slot = _packed.GetOrAdd(precision, _ => new PackedSlot());
        lock (slot)
        {
            ThrowIfClosed();
            return slot.Weights ??= Convert(precision, progress, cancellationToken);
        }
    }

    /// <summary>Whether the matrices in a precision are there, or were converted before and only need to be opened.</summary>
    public bool IsConverted(Gpt2Precision precision) =>
        _packed.TryGetValue(precision, out PackedSlot? slot) && slot.Weights is not null || PackedWeights.HasFile(Path, precision);

    /// <summary>Whether the matrices are kept in a file when they are converted: where they are worth one, and it can be written.</summary>
    public bool KeepsConverted(Gpt2Precision precision) => Path.Length > 0 && PackedWeights.CanKeep(Parameters, Path, precision);

    /// <summary>Why the converted matrices have no file, where they are there and should have one.</summary>
    public string? UnkeptOf(Gpt2Precision precision) => _packed.TryGetValue(precision, out PackedSlot? slot) ? slot.Weights?.Unkept : null;

    /// <summary>
    /// The matrices in memory of this process's own, once for all who run the model in a precision, who copy them; <see langword="null"/> where
    /// there is no memory for them, or the model is closed.
    /// </summary>
    public ResidentWeights? Reside(Gpt2Precision precision)
    {
        lock (_residing)
        {
            if (Volatile.Read(ref _isClosed) || _resident.ContainsKey(precision)) return _resident.GetValueOrDefault(precision);
            Try(() => _resident.Add(precision, new ResidentWeights(Parameters, precision, Pack(precision, null, _closing.Token))));
            return _resident.GetValueOrDefault(precision);
        }
    }

    /// <summary>Whether all of them are there.</summary>
    public bool IsResident(Gpt2Precision precision)
    {
        lock (_residing) return _resident.TryGetValue(precision, out ResidentWeights? resident) && resident.IsComplete;
    }

    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    public void ThrowIfChanged(Gpt2Precision precision)
    {
        _source.ThrowIfChanged();
        if (_packed.TryGetValue(precision, out PackedSlot? slot)) slot.Weights?.ThrowIfChanged();
    }

    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public void ThrowIfClosed()
    {
        if (Volatile.Read(ref _isClosed)) throw Closed();
    }

    /// <summary>Closes the files; a conversion that is under way ends, a computation keeps what it needs.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, true)) return;
        _closing.Cancel();
        lock (_beginning) _begun?.Wait(); // it reads what goes now
        lock (_residing)
        {
            foreach (ResidentWeights resident in _resident.Values) resident.Dispose();
        }

        foreach (PackedSlot slot in _packed.Values)
        {
            lock (slot) slot.Weights?.Dispose();
        }

        _source.Dispose();
        _use?.Dispose();
        _closing.Dispose();
    }

    private static void Try(Action work)
    {
        try
        {
            work();
        }
        catch (Exception fault) when (fault is Gpt2Exception or OperationCanceledException or ObjectDisposedException or IOException or OutOfMemoryException)
        {
            // whoever needs what it could not have meets the same
        }
    }

    // A clone outlives the files of its weights, and a vocabulary that is in them; one that cannot be read is reported when it is used.
    private ModelCore WithVocabulary()
    {
        try
        {
            if (_source.Vocabulary is not null) _ = SpecialIds;
        }
        catch (Gpt2Exception)
        {
            // kept by the lazy encoder
        }

        return this;
    }

    private PackedWeights Convert(Gpt2Precision precision, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        try
        {
            return PackedWeights.Open(Parameters, Path, precision, progress, cancellationToken: either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Closed();
        }
    }

    private ObjectDisposedException Closed() => new(Name, $"The model {Name} was closed.");

    /// <summary>The matrices in one precision once they are there, and the lock under which they come.</summary>
    private sealed class PackedSlot
    {
        public PackedWeights? Weights { get; set; }
    }
}
