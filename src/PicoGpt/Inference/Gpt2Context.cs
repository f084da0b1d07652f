using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// One text being read by a model. Tokens are fed in any portions; the logits do not depend on the portions, on the number
/// of threads or on the vector width, to the last bit. A context is for one thread at a time; several contexts may share a
/// model.
/// </summary>
public sealed class Gpt2Context : IDisposable
{
    private readonly Gpt2Forward _forward;
    private readonly KeyValueCache _cache;
    private readonly bool _ownsBoth;
    private readonly int _vocabulary;
    private int _steps; // calls of one token

    /// <summary>Starts an empty context.</summary>
    /// <param name="model">The model; it may be closed while the context lives.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <exception cref="Gpt2Exception">The checkpoint's data is not as its index says.</exception>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    public Gpt2Context(Gpt2Model model, int threads = 0)
        : this(model, threads, Kernels.Best)
    {
    }

    internal Gpt2Context(Gpt2Model model, int threads, Kernels kernels)
    {
        ArgumentNullException.ThrowIfNull(model);
        _forward = new Gpt2Forward(model, threads, kernels);
        _cache = _forward.NewCache();
        _ownsBoth = true;
        _vocabulary = model.HyperParameters.NVocab;
    }

    /// <summary>Continues in a cache with a forward pass; both belong to whoever made them.</summary>
    internal Gpt2Context(Gpt2Forward forward, KeyValueCache cache) => (_forward, _cache, _vocabulary) = (forward, cache, forward.Vocabulary);

    /// <summary>The most positions that the context holds: <c>n_ctx</c>.</summary>
    public int Capacity => _cache.Capacity;

    /// <summary>Positions read so far.</summary>
    public int Length => _cache.Length;

    /// <summary>Who sees what passes through, and may change it, if anybody.</summary>
    internal IForwardHook? Hook { get => _forward.Hook; set => _forward.Hook = value; }

    /// <summary>Called after every portion of what is read, on the thread that reads; told its rows.</summary>
    internal Action<int>? PortionRead { get; set; }

    /// <summary>Reads further tokens.</summary>
    /// <param name="ids">Token ids, <c>[n_seq]</c>; at least one.</param>
    /// <param name="cancellationToken">Stops between two layers; what was read by this call is forgotten then.</param>
    /// <returns>The logits of the token after the last, <c>[n_vocab]</c>; valid until the next call.</returns>
    /// <exception cref="Gpt2Exception">The context would overflow, or an id is outside the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ReadOnlySpan<float> Forward(scoped ReadOnlySpan<int> ids, CancellationToken cancellationToken = default)
    {
        int last = Read(ids, default, cancellationToken);
        return _forward.Logits([last]).Row(0);
    }

    /// <summary>Reads further tokens and gives the logits after each of them.</summary>
    /// <param name="ids">Token ids, <c>[n_seq]</c>; at least one.</param>
    /// <param name="logits">Receives the logits, <c>[n_seq, n_vocab]</c> row-major.</param>
    /// <param name="cancellationToken">Stops between two layers; what was read by this call is forgotten then.</param>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is not of that size.</exception>
    /// <exception cref="Gpt2Exception">The context would overflow, or an id is outside the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Forward(ReadOnlySpan<int> ids, Span<float> logits, CancellationToken cancellationToken = default)
    {
        if (logits.Length != (long)ids.Length * _vocabulary)
            throw new ArgumentException($"{logits.Length} elements where the logits of {ids.Length} tokens take {(long)ids.Length * _vocabulary}.", nameof(logits));
        Read(ids, logits, cancellationToken);
    }

    /// <summary>Forgets all positions from <paramref name="length"/> on.</summary>
    /// <param name="length">Positions to keep, at most <see cref="Length"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not as many positions, or the number is below 0.</exception>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        _cache.Length = length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_ownsBoth) return;
        _forward.Dispose();
        _cache.Dispose();
    }

    /// <summary>Reads further tokens without their logits.</summary>
    internal void Read(ReadOnlySpan<int> ids, CancellationToken cancellationToken) => Read(ids, default, cancellationToken);

    private static Span<int> Rows(Span<int> rows, int first)
    {
        for (int i = 0; i < rows.Length; i++) rows[i] = first + i;
        return rows;
    }

    // the row of the last token; the logits of all of them where they are wanted
    private int Read(ReadOnlySpan<int> ids, Span<float> logits, CancellationToken cancellationToken)
    {
        int length = Length;
        if (ids.Length > Capacity - length) throw Gpt2Forward.DoesNotFit(_cache, ids.Length);
        if (ids.Length == 1) _forward.Expect(_steps++); // what has gone on for long will go on as long again
        try
        {
            int rows;
            do
            {
                rows = Math.Min(Gpt2Forward.MaxRows, ids.Length);
                _forward.Begin();
                _forward.Add(_cache, ids[..rows]);
                _forward.Run(cancellationToken);
                if (!logits.IsEmpty) CopyLogits(rows, logits);
                logits = logits.IsEmpty ? logits : logits[(rows * _vocabulary)..];
                ids = ids[rows..];
                PortionRead?.Invoke(rows);
            }
            while (ids.Length > 0);

            return rows - 1;
        }
        catch
        {
            _cache.Length = length;
            throw;
        }
    }

    private void CopyLogits(int rows, Span<float> logits)
    {
        Span<int> together = stackalloc int[Gpt2Forward.MaxLogits];
        for (int first = 0; first < rows; first += together.Length)
        {
            int count = Math.Min(together.Length, rows - first);
            Matrix some = _forward.Logits(Rows(together[..count], first));
            for (int i = 0; i < count; i++) some.Row(i).CopyTo(logits[((first + i) * _vocabulary)..]);
        }
    }
}
