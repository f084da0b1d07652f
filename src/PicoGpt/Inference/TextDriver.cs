using System.Diagnostics;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// Reads many texts with one forward pass per step, so that the weights are read from memory once for all of them. A text that ends makes
/// room for the next; they come out in the order in which they were added. What is computed for a text is the same, to the last bit,
/// as if it were alone; a fault of one text ends that text, and a fault of the pass those that are under way. For one thread at a time.
/// </summary>
internal sealed class TextDriver<T> : IDisposable
    where T : QueuedText
{
    private readonly Gpt2Forward _forward;
    private readonly int _batchSize;
    private readonly Scoring _score;
    private readonly CachePool _caches;
    private readonly Queue<T> _inOrder = new();
    private readonly List<T> _waiting = [];
    private readonly List<T> _underWay = [];
    private readonly List<Part> _step = [];
    private readonly List<(T Text, int Row)> _toScore = [];
    private readonly T[] _scored = new T[Gpt2Forward.MaxLogits];
    private int _rows; // of the step

    /// <param name="forward">The forward pass; it is disposed of with the driver.</param>
    /// <param name="batchSize">The most texts that are read together, from 1 to <see cref="Gpt2Forward.MaxLogits"/>.</param>
    /// <param name="score">What to do with logits.</param>
    public TextDriver(Gpt2Forward forward, int batchSize, Scoring score)
    {
        (_forward, _batchSize, _score) = (forward, batchSize, score);
        _caches = new CachePool(forward);
    }

    /// <summary>Takes the logits of some rows, [rows, n_vocab]; the rows of one text follow each other, in the order of their positions.</summary>
    public delegate void Scoring(ReadOnlySpan<T> texts, Matrix logits);

    /// <summary>The texts that are not given out yet, in their order.</summary>
    public IEnumerable<T> Texts => _inOrder;

    /// <summary>Whether no text is under way or waiting to be given out.</summary>
    public bool IsEmpty => _inOrder.Count == 0;

    /// <summary>Whether the first text has ended, so that <see cref="Advance"/> gives it out at once.</summary>
    public bool IsNextReady => _inOrder.TryPeek(out T? text) && text.IsFinished;

    /// <summary>Texts that have not ended.</summary>
    public int Unfinished => _waiting.Concat(_underWay).Count(text => !text.IsFinished);

    /// <summary>Positions that were read so far, guessed ones included.</summary>
    public long RowsRead { get; private set; }

    /// <summary>Chooses how far to guess. Passes that only make tokens, and verify guesses, tell it what they take.</summary>
    public GuessAccount Account { get; init; } = new(new PassCost());

    /// <summary>What guesses for the texts, if anything; it is disposed of with the driver.</summary>
    public Shadow? Shadow { get; set; }

    /// <summary>Adds a text; it waits until there is room for it.</summary>
    public void Add(T text)
    {
        _inOrder.Enqueue(text);
        _waiting.Add(text);
    }

    /// <summary>Makes a step: no more rows than a batch has.</summary>
    /// <param name="cancellationToken">Stops between two layers; a step that is cancelled may be made again.</param>
    /// <returns>The texts that have ended, as far as all before them have; often none.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public List<T> Advance(CancellationToken cancellationToken)
    {
        if (!IsNextReady) Step(cancellationToken);
        return TakeFinished();
    }

    /// <summary>Tells how many passes are to come, and tokens; see <see cref="Gpt2Forward.Expect"/>.</summary>
    public void Expect(int passes, int tokens, bool? resident)
    {
        _forward.Expect(passes, resident);
        Shadow?.Expect(tokens, resident);
    }

    /// <summary>Divides further work among the threads of the pass.</summary>
    public void Run(Job job) => _forward.Pool.Run(job);

    /// <summary>Gives out all texts as they are, and forgets them.</summary>
    public List<T> TakeAll()
    {
        foreach (T text in _underWay) Release(text);
        List<T> texts = [.. _inOrder];
        _inOrder.Clear();
        _waiting.Clear();
        _underWay.Clear();
        return texts;
    }

    public void Dispose()
    {
        foreach (T text in _underWay) text.Cache?.Dispose();
        _caches.Dispose();
        Shadow?.Dispose();
        _forward.Dispose();
    }

    private void Step(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        Admit();
        _step.Clear();
        try
        {
            Guess(cancellationToken);
            Pass(cancellationToken);
        }
        catch
        {
            foreach (Part part in _step) part.Text.Cache!.Length = part.Length; // the step may be made again
            throw;
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        foreach (Part part in _step) Settle(part.Text, elapsed);
        Learn();
        foreach (T text in _underWay)
        {
            if (text.IsFinished) Release(text);
        }

        _underWay.RemoveAll(text => text.IsFinished);
    }

    // What it takes is learned without what a text's owner does when it hears of its progress.
    private void Pass(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        if (!Try(Read, cancellationToken)) return;
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        foreach (Part part in _step) part.Text.HasRead();
        int scored = _toScore.Count;
        start = Stopwatch.GetTimestamp();
        if (!Try(Score, cancellationToken)) return;
        elapsed += Stopwatch.GetElapsedTime(start);
        if (scored == _rows && scored is > 0 and <= Gpt2Forward.MaxLogits) Account.Pass.Note(scored, elapsed.TotalSeconds);
    }

    // A text that begins like one whose beginning is still being read waits for it, and then takes it over.
    private void Admit()
    {
        int room = _batchSize - _underWay.Sum(text => text.Width);
        for (int i = 0; i < _waiting.Count;)
        {
            T text = _waiting[i];
            if (text.Width > Math.Max(room, 0) && _underWay.Count > 0) break;
            (T? alike, int common) = text.IsFinished ? default : MostAlike(text);
            if (common > alike?.Cache!.Length)
            {
                i++;
                continue;
            }

            _waiting.RemoveAt(i);
            if (text.IsFinished) continue;
            Begin(text, alike, common);
            room -= text.Width;
        }
    }

    // What a hook has changed may be of that text alone.
    private ReadOnlySpan<int> BeginningOf(T text) => _forward.Hook is null ? text.Beginning : [];

    private void Begin(T text, T? alike, int common)
    {
        try
        {
            text.Cache = _caches.Take(BeginningOf(text));
            if (common > text.Cache.Length) text.Cache.CopyFrom(alike!.Cache!, common);
            _underWay.Add(text);
        }
        catch (OutOfMemoryException fault) // a context's keys and values are what takes memory
        {
            text.Fail(fault);
        }
    }

    private (T? Text, int Common) MostAlike(T text)
    {
        (T? Text, int Common) best = (null, CachePool.MinShared - 1);
        foreach (T other in _underWay)
        {
            int common = BeginningOf(text).CommonPrefixLength(BeginningOf(other));
            if (common > best.Common) best = (other, common);
        }

        return best.Text is null ? default : best;
    }

    // A fault of the pass is every text's.
    private bool Try(Action<CancellationToken> pass, CancellationToken cancellationToken)
    {
        try
        {
            pass(cancellationToken);
            return true;
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            foreach (T text in _underWay) text.Fail(fault);
            return false;
        }
    }

    // A guess is of use, but nobody depends on it: a fault of its weights is not a fault of a text. What a hook changes it does not see.
    private void Guess(CancellationToken cancellationToken)
    {
        Account.Begin(_underWay.Aggregate(0, (most, text) => Math.Max(most, text.TokensToCome)));
        if (Shadow is not null && _forward.Hook is null)
        {
            try
            {
                Shadow.Guess(_underWay, cancellationToken);
                return;
            }
            catch (Gpt2Exception)
            {
                Shadow.Dispose();
                Shadow = null;
            }
        }

        foreach (T text in _underWay) text.BeginGuess(new GuessTerms(Account, _underWay.Count));
    }

    private void Learn()
    {
        Shadow?.Learn();
        int guessed = _underWay.Sum(text => text.Guessed);
        if (guessed > 0) Account.Book(_underWay.Count, Shadow?.Drafting ?? 0, guessed, _underWay.Sum(text => text.Right));
    }

    private void Read(CancellationToken cancellationToken)
    {
        _toScore.Clear();
        _rows = 0;
        _forward.Begin();
        int room = Gpt2Forward.MaxRows;
        foreach (T text in _underWay) room -= text.MinRows;
        foreach (T text in _underWay) Read(text, ref room);
        if (_step.Count > 0) _forward.Run(cancellationToken);
    }

    private void Read(T text, ref int room)
    {
        int max = text.MinRows + room;
        if (max == 0 || text.IsFinished) return;
        try
        {
            int length = text.Cache!.Length;
            ReadOnlySpan<int> ids = text.Next(max);
            if (ids.IsEmpty) return;
            length = Math.Min(length, text.Cache.Length); // it may have begun its context again
            int row = _forward.Add(text.Cache, ids);
            for (int i = text.FirstScored; i < ids.Length; i++) _toScore.Add((text, row + i));
            _step.Add(new Part(text, length));
            room -= ids.Length - text.MinRows;
            _rows += ids.Length;
            RowsRead += ids.Length;
        }
        catch (Exception fault)
        {
            text.Fail(fault);
        }
    }

    private void Score(CancellationToken cancellationToken)
    {
        Span<int> rows = stackalloc int[Gpt2Forward.MaxLogits];
        for (int next = 0; next < _toScore.Count;)
        {
            int count = 0;
            for (; next < _toScore.Count && count < rows.Length; next++)
            {
                (T text, int row) = _toScore[next];
                if (text.WantsLogits) (rows[count], _scored[count++]) = (row, text);
            }

            if (count == 0) return;
            cancellationToken.ThrowIfCancellationRequested();
            Matrix logits = _forward.Logits(rows[..count]); // [count, n_vocab]
            _score(_scored.AsSpan(0, count), logits);
        }
    }

    private static void Settle(T text, TimeSpan elapsed)
    {
        if (text.Fault is not null) return;
        try
        {
            text.Settle(elapsed);
        }
        catch (Exception fault)
        {
            text.Fail(fault);
        }
    }

    private void Release(T text)
    {
        KeyValueCache cache = text.Cache!;
        ReadOnlySpan<int> beginning = BeginningOf(text);
        _caches.Return(cache, beginning[..Math.Min(beginning.Length, cache.Length)]);
        text.Cache = null;
    }

    private List<T> TakeFinished()
    {
        List<T> finished = [];
        while (IsNextReady) finished.Add(_inOrder.Dequeue());
        return finished;
    }

    /// <summary>A text's part of a step: how long its context was before it.</summary>
    private readonly record struct Part(T Text, int Length);
}
