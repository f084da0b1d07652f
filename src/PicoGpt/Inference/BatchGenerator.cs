using System.Diagnostics;
using PicoGpt.Machine;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// Generates from many prompts at once: their tokens are read together, so that the weights are read from memory once for
/// all of them. A text that ends makes room for the next prompt. Every completion is the same, to the last bit of its
/// logits, as if it had been generated alone; they come in the order of their prompts. For one thread at a time.
/// </summary>
public sealed class BatchGenerator : IDisposable
{
    // Prompts share what they begin with from so many tokens on; below that, copying is no faster than reading.
    private const int LeastShared = 4;

    private readonly Gpt2Model _model;
    private readonly GenerationOptions _options;
    private readonly Gpt2Forward _forward;
    private readonly List<Text> _active = [];
    private readonly Queue<Text> _inOrder = new();
    private readonly Stack<KeyValueCache> _spare = new();

    /// <summary>Prepares to generate.</summary>
    /// <param name="model">The model; it may be closed meanwhile.</param>
    /// <param name="options">How to generate; <see langword="null"/> for greedy, 40 tokens.</param>
    /// <param name="batchSize">The most texts that are read together, from 1 to 64.</param>
    /// <exception cref="Gpt2Exception">An option is outside its range, or a file of the model is not as it should be.</exception>
    public BatchGenerator(Gpt2Model model, GenerationOptions? options = null, int batchSize = 16)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batchSize, Gpt2Forward.MostLogits);
        _model = model;
        _options = options ?? new GenerationOptions();
        _options.Validate();
        BatchSize = batchSize;
        _forward = new Gpt2Forward(model, _options.Threads, Kernels.Best);
    }

    /// <summary>
    /// How many texts to read together by default: 16 a physical core, as long as their keys and values take no more than half of
    /// the memory that there is.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <returns>From 1 to 64.</returns>
    public static int DefaultBatchSize(Gpt2Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        long byMemory = AvailableMemory.Bytes / 2 / Gpt2MemoryNeed.Of(model.HyperParameters).Cache;
        return (int)Math.Clamp(Math.Min(byMemory, 16L * Processors.PhysicalCount), 1, Gpt2Forward.MostLogits);
    }

    /// <summary>The most texts that are read together.</summary>
    public int BatchSize { get; }

    /// <summary>Tokens that were generated so far, in all texts.</summary>
    public long NewTokens { get; private set; }

    /// <summary>Texts that are under way.</summary>
    public int Active => _active.Count;

    /// <summary>Whether as many texts are under way as are read together.</summary>
    public bool IsFull => _active.Count >= BatchSize;

    /// <summary>Whether no text is under way or waiting to be given out.</summary>
    public bool IsEmpty => _inOrder.Count == 0;

    /// <summary>Begins a text.</summary>
    /// <param name="prompt">The text to go on from.</param>
    /// <exception cref="Gpt2Exception">The prompt has more tokens than the context.</exception>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public void Add(string prompt)
    {
        if (IsFull) throw new InvalidOperationException("The batch is full; advance it until it is not.");
        var text = new Text(new TextGeneration(_model, prompt, _options));
        _inOrder.Enqueue(text);
        if (text.Generation.IsFinished) return;
        text.Cache = _spare.TryPop(out KeyValueCache? spare) ? spare : _forward.NewCache();
        ShareBeginning(text);
        _active.Add(text);
    }

    /// <summary>Makes the next token of every text under way, or reads on in a long prompt.</summary>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The completions that are now ready, in the order of their prompts; often none.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Gpt2Completion> Advance(CancellationToken cancellationToken = default)
    {
        long start = Stopwatch.GetTimestamp();
        _active.RemoveAll(text => !MakeRoom(text));
        if (_active.Count > 0) Read(cancellationToken);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        foreach (Text text in _active) text.Generation.Spend(elapsed);
        if (_active.Count > 0) Choose();
        return TakeFinished();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Text text in _active) text.Cache!.Dispose();
        foreach (KeyValueCache cache in _spare) cache.Dispose();
        _forward.Dispose();
    }

    // false where the context is full and the text ends with it
    private bool MakeRoom(Text text)
    {
        KeyValueCache cache = text.Cache!;
        if (cache.Length < cache.Capacity || text.Unread == 0) return true;
        if (text.Generation.KeptByOverflow == 0)
        {
            text.Generation.Finish(FinishReason.Length);
            Release(text);
            return false;
        }

        text.Start = Math.Max(0, text.Generation.Ids.Count - text.Generation.KeptByOverflow);
        cache.Length = 0;
        return true;
    }

    // Every text gets its next token at least; what room is left in the batch goes to the prompts.
    private void Read(CancellationToken cancellationToken)
    {
        int room = Gpt2Forward.MostRows - _active.Count;
        _forward.Begin();
        foreach (Text text in _active)
        {
            int count = Math.Min(text.Unread, 1 + room);
            room -= count - 1;
            int[] ids = [.. text.Generation.Ids.Skip(text.Start + text.Cache!.Length).Take(count)];
            text.LastRow = _forward.Add(text.Cache, ids) + count - 1;
        }

        _forward.Run(cancellationToken);
    }

    private void Choose()
    {
        List<Text> read = _active.FindAll(text => text.Unread == 0);
        if (read.Count == 0) return;
        Matrix logits = _forward.Logits([.. read.Select(text => text.LastRow)]); // [texts, n_vocab]
        for (int i = 0; i < read.Count; i++)
        {
            TextGeneration generation = read[i].Generation;
            generation.Take(generation.Choose(logits.Row(i)));
            NewTokens++;
            if (!generation.IsFinished) continue;
            Release(read[i]);
            _active.Remove(read[i]);
        }
    }

    private List<Gpt2Completion> TakeFinished()
    {
        List<Gpt2Completion> completions = [];
        while (_inOrder.TryPeek(out Text? text) && text.Generation.IsFinished) completions.Add(_inOrder.Dequeue().Generation.Completion);
        return completions;
    }

    private void Release(Text text)
    {
        text.Cache!.Length = 0;
        _spare.Push(text.Cache);
        text.Cache = null;
    }

    // A prompt that begins as a text under way takes its keys and values over, all but those of its last token.
    private void ShareBeginning(Text text)
    {
        IReadOnlyList<int> ids = text.Generation.Ids;
        (Text? Other, int Length) best = (null, LeastShared - 1);
        foreach (Text other in _active.Where(other => other.Start == 0))
        {
            int most = Math.Min(ids.Count - 1, other.Cache!.Length);
            int length = 0;
            while (length < most && ids[length] == other.Generation.Ids[length]) length++;
            if (length > best.Length) best = (other, length);
        }

        if (best.Other is not null) text.Cache!.CopyFrom(best.Other.Cache!, best.Length);
    }

    /// <summary>A text under way.</summary>
    private sealed class Text(TextGeneration generation)
    {
        public TextGeneration Generation { get; } = generation;

        public KeyValueCache? Cache { get; set; }

        /// <summary>Where in the ids the context starts; 0 until it slides.</summary>
        public int Start { get; set; }

        public int LastRow { get; set; }

        /// <summary>Ids that are still to be read.</summary>
        public int Unread => Generation.Ids.Count - Start - Cache!.Length;
    }
}
