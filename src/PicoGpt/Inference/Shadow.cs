using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// A model's own reduced form, which guesses what the exact one will say (speculative decoding, Y. Leviathan and others, 2022, with the
/// model as its own draft). It reads and writes on the exact model's cache: its keys and values stand behind the exact ones until the
/// pass that verifies the guesses writes exact ones over them, so every guess starts from exact history. How far it guesses depends on
/// how often it has been right; where that does not pay it does not guess.
/// </summary>
internal sealed class Shadow : IDisposable
{
    /// <summary>The most tokens of a guess.</summary>
    public const int MaxGuesses = 16;

    private const double Memory = 0.9;
    private const double Initial = 0.8;
    private const double Recovery = 0.002; // a step; a new attempt every twenty or thirty steps costs less than two per cent
    private const double MinGain = 1.02;

    private readonly Gpt2Forward _forward;
    private readonly double _cost;
    private readonly List<Draft> _drafts = [];
    private readonly List<Draft> _open = [];
    private readonly int[] _rows = new int[Gpt2Forward.MaxLogits];
    private double _rightness = Initial; // the probability that a token is right, as it seems

    /// <param name="forward">The reduced form's forward pass; it is disposed of with the shadow.</param>
    /// <param name="cost">What a step of it costs, as a share of a step of the exact model.</param>
    public Shadow(Gpt2Forward forward, double cost) => (_forward, _cost) = (forward, cost);

    /// <summary>Tells how many passes are to come; see <see cref="Gpt2Forward.Expect"/>.</summary>
    public void Expect(int passes, bool? resident) => _forward.Expect(passes, resident);

    /// <summary>Lets the texts guess as far as that pays, and puts them back to where they were.</summary>
    /// <param name="texts">The texts under way.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; the texts are where they were.</exception>
    public void Guess(IReadOnlyList<QueuedText> texts, CancellationToken cancellationToken)
    {
        _drafts.Clear();
        int max = Worthwhile(texts.Count);
        if (max == 0) _rightness += Recovery; // tries again eventually
        foreach (QueuedText text in texts)
        {
            int wanted = text.BeginGuess(texts.Count, max);
            if (wanted > 0) _drafts.Add(new Draft(text, text.Cache!.Length, wanted));
        }

        try
        {
            for (int guessed = 0; TakeOpen(guessed); guessed++) Step(cancellationToken);
        }
        finally
        {
            foreach (Draft draft in _drafts) draft.Text.Cache!.Length = draft.Length;
        }
    }

    /// <summary>Learns how good the last guesses were, once they are verified.</summary>
    public void Learn()
    {
        foreach (Draft draft in _drafts) Learn(draft.Text.Guessed, draft.Text.Right);
        _drafts.Clear();
    }

    public void Dispose() => _forward.Dispose();

    internal void Learn(int guessed, int right)
    {
        for (int i = 0; i < Math.Min(right + 1, guessed); i++)
            _rightness = (Memory * _rightness) + ((1 - Memory) * (i < right ? 1 : 0));
    }

    /// <summary>
    /// How many tokens to guess, so that a text gets on fastest. Of n guesses, each right with the probability p, a pass keeps
    /// 1 + p + … + pⁿ tokens.
    /// </summary>
    /// <param name="texts">How many texts are under way.</param>
    internal int Worthwhile(int texts)
    {
        double best = MinGain / StepCost(1, texts), tokens = 1, power = 1;
        int length = 0;
        for (int n = 1; n <= MaxGuesses; n++)
        {
            tokens += power *= _rightness;
            double speed = tokens / ((n * StepCost(_cost, texts)) + StepCost(1, texts * (n + 1)));
            if (speed > best) (best, length) = (speed, n);
        }

        return length;
    }

    // Measured at the shape of 124M, as a share of a step in Float32: few rows wait for the weights, many for the arithmetic.
    private static double StepCost(double first, int rows) => first + (0.04 * Math.Min(rows - 1, 9)) + (0.08 * Math.Max(rows - 10, 0));

    private bool TakeOpen(int guessed)
    {
        _open.Clear();
        foreach (Draft draft in _drafts)
        {
            if (guessed < draft.Wanted && draft.Text.MayGuess) _open.Add(draft);
        }

        return _open.Count > 0;
    }

    private void Step(CancellationToken cancellationToken)
    {
        _forward.Begin();
        for (int i = 0; i < _open.Count; i++) _rows[i] = _forward.Add(_open[i].Text.Cache!, [_open[i].Text.Last]);
        _forward.Run(cancellationToken);
        Matrix logits = _forward.Logits(_rows.AsSpan(0, _open.Count)); // [texts, n_vocab]
        for (int i = 0; i < _open.Count; i++) _open[i].Text.TakeGuess(logits.Row(i));
    }

    /// <summary>A text that guesses: how long its exact context is, and how many tokens it wants.</summary>
    private readonly record struct Draft(QueuedText Text, int Length, int Wanted);
}
