using PicoGpt.Checkpoints;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>
/// A GPT-2 model on disk: hyperparameters, weights and tokenizer. Opening it reads only the checkpoint's index; weights
/// and vocabulary are read when first used. It may be shared by any number of threads.
/// </summary>
public sealed class Gpt2Model : IDisposable
{
    private readonly TensorBundle _bundle;
    private readonly Lazy<BytePairEncoder> _encoder;
    private readonly IDisposable? _use;
    private bool _isDisposed;

    private Gpt2Model(string name, TensorBundle bundle, Gpt2HyperParameters hyperParameters, IDisposable? use)
    {
        _bundle = bundle;
        _use = use;
        Name = name;
        Path = System.IO.Path.GetDirectoryName(bundle.Prefix)!;
        HyperParameters = hyperParameters;
        Parameters = Gpt2Parameters.Load(bundle, hyperParameters);
        _encoder = new Lazy<BytePairEncoder>(() => BytePairEncoder.Load(Path));
    }

    /// <summary>The model's name: the catalog's, or the folder's.</summary>
    public string Name { get; }

    /// <summary>The folder that holds the model's files.</summary>
    public string Path { get; }

    /// <summary>The shape of the architecture.</summary>
    public Gpt2HyperParameters HyperParameters { get; }

    /// <summary>The weights, as the tree that the architecture has.</summary>
    public Gpt2Parameters Parameters { get; }

    /// <summary>The number of trainable parameters.</summary>
    public long ParameterCount => HyperParameters.ParameterCount;

    /// <summary>The tokenizer.</summary>
    /// <exception cref="Gpt2Exception"><c>encoder.json</c> or <c>vocab.bpe</c> is missing or not as it should be.</exception>
    public BytePairEncoder Encoder => _encoder.Value;

    /// <summary>The id of <c>&lt;|endoftext|&gt;</c>.</summary>
    /// <exception cref="Gpt2Exception">The vocabulary has no such token.</exception>
    internal int EndOfText => Encoder.EndOfText ?? throw new Gpt2Exception(
        Gpt2Error.InvalidArgument,
        $"The prompt is empty, and the vocabulary of {Name} has no <|endoftext|> to start from; give a prompt.",
        Path);

    /// <summary>Opens a model.</summary>
    /// <param name="path">The model's folder, the checkpoint's prefix, or any of its files.</param>
    /// <param name="name">The model's name; <see langword="null"/> for the folder's.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">A file is missing, truncated or of another kind, or the tensors make no GPT-2.</exception>
    public static Gpt2Model Open(string path, string? name = null) => Open(path, name, use: null);

    /// <param name="path">The model's folder, the checkpoint's prefix, or any of its files.</param>
    /// <param name="name">The model's name; <see langword="null"/> for the folder's.</param>
    /// <param name="use">What tells others that the model is open; disposed with it.</param>
    internal static Gpt2Model Open(string path, string? name, IDisposable? use)
    {
        TensorBundle bundle = TensorBundle.Open(path);
        try
        {
            string folder = System.IO.Path.GetDirectoryName(bundle.Prefix)!;
            string hparams = System.IO.Path.Combine(folder, Gpt2HyperParameters.FileName);
            Gpt2HyperParameters hyperParameters = File.Exists(hparams)
                ? Gpt2HyperParameters.Load(hparams)
                : Gpt2HyperParameters.FromShapes(bundle);
            var model = new Gpt2Model(name ?? System.IO.Path.GetFileName(folder), bundle, hyperParameters, use);
            bundle.EnsureComplete();
            return model;
        }
        catch
        {
            bundle.Dispose();
            throw;
        }
    }

    /// <summary>Closes the files; a computation that is under way keeps what it needs until it ends.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _bundle.Dispose();
        _use?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    internal void ThrowIfDisposed()
    {
        if (_isDisposed) throw new ObjectDisposedException(Name, $"The model {Name} was closed; open it again with Get-Gpt2Model.");
    }
}
