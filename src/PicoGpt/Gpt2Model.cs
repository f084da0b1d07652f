using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Machine;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>
/// A GPT-2 model on disk: hyperparameters, weights and tokenizer. Opening it reads only the checkpoint's index, and where the output
/// projection is stored beside the embedding compares the two; weights and vocabulary are read when first used. It may be shared by any
/// number of threads.
/// </summary>
public sealed class Gpt2Model : IDisposable
{
    private readonly ModelCore _core;
    private readonly bool _ownsCore;

    private Gpt2Model(ModelCore core, Gpt2Precision precision, bool ownsCore, LowRankAdapter? adapter = null) =>
        (_core, Precision, _ownsCore, Adapter) = (core, precision, ownsCore, adapter);

    /// <summary>The model's name: the catalog's, or the folder's.</summary>
    public string Name => _core.Name;

    /// <summary>The folder that holds the model's files; empty of a clone, whose weights are in memory.</summary>
    public string Path => _core.Path;

    /// <summary>The shape of the architecture.</summary>
    public Gpt2HyperParameters HyperParameters => _core.HyperParameters;

    /// <summary>How the matrices are held while the model runs; <see cref="Parameters"/> are the checkpoint's own whatever it is.</summary>
    public Gpt2Precision Precision { get; }

    /// <summary>The weights, as the tree that the architecture has.</summary>
    public Gpt2Parameters Parameters => _core.Parameters;

    /// <summary>The weights' file, or the path that the names of the checkpoint's files begin with.</summary>
    public string Prefix => _core.Prefix;

    /// <summary>
    /// Of a model with an adapter, whose own files are <see cref="Path"/> and <see cref="Prefix"/>: the prefix of the model that it was
    /// applied to. <see langword="null"/> of any other, and where that is a copy in memory.
    /// </summary>
    public string? AdapterOf => _core.AdapterOf;

    /// <summary>Whether the files of its own, <see cref="Path"/> and <see cref="Prefix"/>, are an adapter's.</summary>
    internal bool IsAdapted => _core.IsAdapted;

    /// <summary>Whether a path leads to a file that the weights are read from, by whatever name.</summary>
    internal bool IsReadFrom(string path) => _core.IsReadFrom(path);

    /// <summary>Whether the model has a vocabulary, or a part of one.</summary>
    internal bool HasVocabulary => _core.HasVocabulary;

    /// <summary>What of the shape no file tells and was assumed, in a sentence; <see langword="null"/> where nothing was.</summary>
    public string? Assumption => _core.Assumption;

    /// <summary>What in the model's files contradicts what else is in them, in a sentence; <see langword="null"/> where nothing is known to.</summary>
    public string? Contradiction => _core.Contradiction;

    /// <summary>What is suspicious about the vocabulary: that it is another model's, lacks merges, or has no token for the end of a text; a sentence each.</summary>
    /// <exception cref="Gpt2Exception">A file of the vocabulary is missing or not as it should be.</exception>
    internal IEnumerable<string> VocabularyDoubts
    {
        get
        {
            if (!HasVocabulary) yield break;
            if (VocabularyFit.DoubtOf(Encoder, HyperParameters.NVocab) is { } misfit) yield return $"{misfit} {Name} reads and writes texts wrongly with it.";
            if (Encoder.Doubt is { } merges) yield return merges;
            if (SpecialIds.Doubt is { } ends) yield return ends;
        }
    }

    /// <summary>What tells that a file of the weights is not whole, in a sentence; <see langword="null"/> where nothing does.</summary>
    /// <exception cref="Gpt2Exception">A file cannot be read.</exception>
    internal string? WeightDoubt => DoubtOf(Parameters);

    /// <summary>The same of some weights.</summary>
    internal static string? DoubtOf(IEnumerable<Gpt2Weight> weights) => weights.Select(weight => weight.Hole?.In(weight.Name)).FirstOrDefault(doubt => doubt is not null);

    /// <summary>Whether the weights are in memory, where they can be changed.</summary>
    internal bool IsClone => _core.IsClone;

    /// <summary>What is added to the projections while the model computes; <see langword="null"/> but where an adapter is trained.</summary>
    internal LowRankAdapter? Adapter { get; }

    /// <summary>The number of trainable parameters.</summary>
    public long ParameterCount => HyperParameters.ParameterCount;

    /// <summary>The tokenizer.</summary>
    /// <exception cref="Gpt2Exception">A file of the vocabulary is missing or not as it should be.</exception>
    public Tokenizer Encoder => _core.Encoder;

    /// <summary>The tokenizer, read where it was not read before.</summary>
    /// <exception cref="Gpt2Exception">A file of the vocabulary is missing or not as it should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal Tokenizer ReadEncoder(CancellationToken cancellationToken) => _core.ReadEncoder(cancellationToken);

    /// <summary>The ids with which the model's texts begin and end, as its files say.</summary>
    internal SpecialIds SpecialIds => _core.SpecialIds;

    /// <summary>What a <c>generation_config.json</c> beside the weights says of sampling and the like, which is not used: the options of a generation say it.</summary>
    internal IReadOnlyList<string> UnusedSettings => Path.Length == 0 ? [] : GenerationConfig.SettingsIn(System.IO.Path.Combine(Path, GenerationConfig.FileName));

    /// <summary>The id before a text's first token: <c>&lt;|endoftext|&gt;</c>, or what else the model's files name.</summary>
    /// <exception cref="Gpt2Exception">There is none.</exception>
    internal int BeginningOfText => SpecialIds.Begin ?? throw new Gpt2Exception(
        Gpt2Error.InvalidArgument,
        $"The prompt is empty, and the vocabulary of {Name} has no <|endoftext|> to start from; give a prompt.",
        Path);

    /// <summary>The ids with which the model ends a text.</summary>
    internal IReadOnlySet<int> EndOfTextIds => SpecialIds.Ends.ToHashSet();

    /// <summary>Opens a model.</summary>
    /// <param name="path">
    /// The model's folder, in OpenAI's layout, Hugging Face's or that of an export, or the file of its weights; of a TensorFlow checkpoint
    /// the prefix or any of its files.
    /// </param>
    /// <param name="name">
    /// The model's name; <see langword="null"/> for the folder's, or that of a file that is given and has a name of its own, such as
    /// <c>gpt2.Q4_K_M.gguf</c>.
    /// </param>
    /// <param name="precision">How the matrices are to be held while the model runs.</param>
    /// <param name="headCount">
    /// The number of attention heads, for weights that neither tell it nor have a file beside them that does; OpenAI's head size of 64 is
    /// assumed where it is left out.
    /// </param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">
    /// A file is missing, truncated or of another kind, the tensors do not make a GPT-2, or the model has another number of heads.
    /// </exception>
    public static Gpt2Model Open(string path, string? name = null, Gpt2Precision precision = Gpt2Precision.Float32, int? headCount = null, CancellationToken cancellationToken = default) =>
        Open(path, name, precision, headCount, use: null, cancellationToken);

    /// <param name="path">The model's folder, the checkpoint's prefix, or any of its files.</param>
    /// <param name="name">The model's name; <see langword="null"/> for the folder's.</param>
    /// <param name="precision">How the matrices are to be held while the model runs.</param>
    /// <param name="headCount">The number of attention heads, for weights that do not tell it.</param>
    /// <param name="use">What tells others that the model is open; disposed with it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    internal static Gpt2Model Open(string path, string? name, Gpt2Precision precision, int? headCount, IDisposable? use, CancellationToken cancellationToken)
    {
        ITensorSource source = ModelFiles.OpenWeights(path, cancellationToken);
        try
        {
            string folder = System.IO.Path.GetDirectoryName(source.Location)!;
            ModelShape shape = ModelFiles.ReadShape(folder, source, headCount);
            var core = new ModelCore(name ?? ModelFiles.NameOf(path, source), folder, source, shape, use, cancellationToken);
            source.EnsureComplete(cancellationToken);
            return new Gpt2Model(core, precision, ownsCore: true);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A new model in memory, which knows nothing yet: a trainer teaches it, and an export writes it. Its weights are random, as OpenAI's
    /// <c>model.py</c> draws them and with the paper's smaller projections into the residual stream.
    /// </summary>
    /// <param name="hyperParameters">Its shape.</param>
    /// <param name="encoder">Its vocabulary, whose ids are below <c>n_vocab</c>.</param>
    /// <param name="seed">What the weights depend on; the same seed gives the same bits on every machine.</param>
    /// <param name="name">Its name.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">The numbers make no architecture, the vocabulary does not fit, or there is not enough memory.</exception>
    public static Gpt2Model Create(Gpt2HyperParameters hyperParameters, Tokenizer encoder, ulong seed = 1, string name = "new")
    {
        ArgumentNullException.ThrowIfNull(hyperParameters);
        ArgumentNullException.ThrowIfNull(encoder);
        hyperParameters.ValidateNew();
        if (encoder.MaxId >= hyperParameters.NVocab)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"The vocabulary has ids up to {encoder.MaxId}, for which a model of {hyperParameters.NVocab} tokens has no rows; take n_vocab = {encoder.MaxId + 1}.");
        }

        RequireMemory(hyperParameters.ParameterCount * sizeof(float), "a new model", "");
        try
        {
            var source = new MemorySource(name, WeightInitialization.Draw(hyperParameters, seed));
            return new Gpt2Model(new ModelCore(name, hyperParameters, source, encoder), Gpt2Precision.Float32, ownsCore: true);
        }
        catch (OutOfMemoryException fault)
        {
            throw new Gpt2Exception(Gpt2Error.InsufficientMemory, "There is not enough memory for a new model of this shape.", path: null, fault);
        }
    }

    /// <summary>A model of random weights in memory, without a vocabulary of its own.</summary>
    internal static Gpt2Model Random(Gpt2HyperParameters hyperParameters, Gpt2Precision precision)
    {
        const string Name = "random";
        var source = new MemorySource(Name, WeightInitialization.Draw(hyperParameters, seed: 1));
        var encoder = new CharacterTokenizer(Name, [], new Dictionary<string, int> { ["a"] = 0 });
        return new Gpt2Model(new ModelCore(Name, hyperParameters, source, encoder), precision, ownsCore: true);
    }

    /// <summary>
    /// The same model, held in a precision while it runs: a view, which owns nothing. It shares the model's files and is closed with the
    /// model; disposing of the view itself closes nothing, and leaves the model and every other view as they are.
    /// </summary>
    /// <param name="precision">The precision; the model's own gives a view too.</param>
    /// <returns>The view.</returns>
    /// <exception cref="Gpt2Exception">The model is a clone, whose weights may change, and the precision is not Float32.</exception>
    public Gpt2Model WithPrecision(Gpt2Precision precision)
    {
        if (_core.IsClone && precision != Gpt2Precision.Float32)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"{Name} is a model whose weights can be changed, and runs in Float32; export it, and open that in {precision}.");
        }

        return new Gpt2Model(_core, precision, ownsCore: false);
    }

    /// <summary>
    /// The model with a low-rank adapter (LoRA): <c>w + scale · aᵀ·b</c> stands for the matrix <c>w</c> of every projection that has one. The
    /// sums are computed in float32 when a matrix is first used, and take memory of their own; all other weights are the model's, which stays
    /// as it is. It is closed with the model.
    /// </summary>
    /// <param name="path">
    /// The adapter's folder, as training with a rank or PEFT writes it: <c>adapter_config.json</c> beside <c>adapter_model.safetensors</c> or
    /// <c>adapter_model.bin</c>; or a file in it.
    /// </param>
    /// <returns>The model with the adapter.</returns>
    /// <exception cref="Gpt2Exception">The adapter is not there, damaged, of a kind that is not read, or was trained on another model.</exception>
    public Gpt2Model WithAdapter(string path) => WithAdapter(path, ownsModel: false);

    /// <param name="path">The adapter's folder.</param>
    /// <param name="ownsModel">Whether this model is closed with the one that is returned.</param>
    internal Gpt2Model WithAdapter(string path, bool ownsModel)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ThrowIfDisposed();
        return new Gpt2Model(_core.Adapt(System.IO.Path.GetFullPath(path), ownsModel ? this : null), Precision, ownsCore: true);
    }

    /// <summary>A view of the model that computes with an adapter whose numbers may change between two passes.</summary>
    internal Gpt2Model WithAdapter(LowRankAdapter adapter) => new(_core, Gpt2Precision.Float32, ownsCore: false, adapter);

    /// <summary>
    /// A copy whose weights are in memory, as float32, and can be changed: what a trainer starts from. It needs no file of this model,
    /// but for the vocabulary, and is written to disk by an export. It must not be changed while it generates.
    /// </summary>
    /// <param name="name">Its name; <see langword="null"/> for this model's with a remark.</param>
    /// <returns>The copy.</returns>
    /// <exception cref="Gpt2Exception">There is not enough memory, or the weights are damaged.</exception>
    public Gpt2Model Clone(string? name = null)
    {
        ThrowIfDisposed();
        long bytes = ParameterCount * sizeof(float);
        RequireMemory(bytes, $"a copy of {Name}", Path);
        name ??= $"{Name} (clone)";
        try
        {
            return new Gpt2Model(_core.Clone(name), Gpt2Precision.Float32, ownsCore: true);
        }
        catch (OutOfMemoryException fault) // the operating system counts other processes' memory too, and the runtime may have less
        {
            throw new Gpt2Exception(Gpt2Error.InsufficientMemory, FormattableString.Invariant($"There is not enough memory for a copy of {Name} ({bytes >> 20:N0} MiB)."), Path, fault);
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

    /// <summary>
    /// Closes the files: this model and all views of it can no longer compute, except what is under way, which keeps what it needs until
    /// it ends. A view, which <see cref="WithPrecision"/> gave, closes nothing.
    /// </summary>
    public void Dispose()
    {
        if (_ownsCore) _core.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static void RequireMemory(long bytes, string what, string path)
    {
        long free = AvailableMemory.Bytes;
        if (bytes > free)
            throw new Gpt2Exception(Gpt2Error.InsufficientMemory, FormattableString.Invariant($"There is not enough memory for {what} ({bytes >> 20:N0} MiB): {free >> 20:N0} MiB are free."), path);
    }

    /// <summary>The matrices in the model's precision; <see langword="null"/> for float32.</summary>
    internal PackedWeights? Pack(IProgress<double>? progress = null, CancellationToken cancellationToken = default) =>
        _core.Pack(Precision, progress, cancellationToken);

    /// <summary>Why the matrices, which were converted, could not be kept for the next time, in sentences; <see langword="null"/> where they were, or need not be.</summary>
    internal string? Unkept => _core.UnkeptOf(Precision);

    /// <summary>Whether the matrices are kept for the next time where they are converted now.</summary>
    internal bool KeepsConverted => _core.KeepsConverted(Precision);

    /// <summary>Does work beside what the caller does next, unless such work was begun before; closing the model waits for it.</summary>
    internal Task BeginOnce(Action<CancellationToken> work) => _core.BeginOnce(work);

    /// <summary>Whether the matrices in a precision only need to be opened.</summary>
    internal bool IsConverted(Gpt2Precision precision) => _core.IsConverted(precision);

    /// <summary>The matrices in memory of this process's own, to be copied there; <see langword="null"/> where they cannot be.</summary>
    internal ResidentWeights? Reside() => _core.Reside(Precision);

    /// <summary>Whether all of them are there.</summary>
    internal bool IsResident => _core.IsResident(Precision);

    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file of the weights is being overwritten.</exception>
    internal void ThrowIfChanged() => _core.ThrowIfChanged(Precision);

    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    internal void ThrowIfDisposed() => _core.ThrowIfClosed();
}
