using System.Diagnostics;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// A model's own reduced form, which guesses what the exact one will say (speculative decoding, Y. Leviathan and others, 2022, with the
/// model as its own draft). It reads and writes on the exact model's cache: its keys and values stand behind the exact ones until the
/// pass that verifies the guesses writes exact ones over them, so every guess starts from exact history. How far it guesses depends on
/// how often it has been right and on what its steps and the exact passes take; where that does not pay it does not guess.
/// </summary>
internal sealed class Shadow : IDisposable
{
    /// <summary>The most tokens of a guess.</summary>
    public const int MaxGuesses = 16;

    // Measured with models that have learned something: 0.96 and more. Where it is not so, the first guesses tell.
    private const double InitialRightness = 0.95;

    // The first guesses tell the most: what is learned from one falls from a third to a tenth.
    private const int FirstWeight = 3;
    private const int MostWeight = 10;

    // Where it does not pay it is tried anew after so many steps, and after twice as many each time that it still does not.
    private const int FirstRest = 50;

    private readonly Gpt2Forward _forward;
    private readonly GuessAccount _account;
    private readonly double _usualCost;
    private readonly List<Draft> _drafts = [];
    private readonly List<Draft> _open = [];
    private readonly int[] _rows = new int[Gpt2Forward.MaxLogits];
    private double _rightness = InitialRightness; // the probability that a token is right, as it seems
    private PassCost _cost; // of its steps, as shares of an exact pass over one row
    private int _proven; // tokens of the last guess that were right
    private int _learned, _rested, _rest = FirstRest;

    /// <param name="forward">The reduced form's forward pass; it is disposed of with the shadow.</param>
    /// <param name="account">Chooses how far it guesses.</param>
    /// <param name="usualCost">What a step over one row usually takes, as a share of an exact pass over one.</param>
    public Shadow(Gpt2Forward forward, GuessAccount account, double usualCost)
    {
        (_forward, _account, _usualCost) = (forward, account, usualCost);
        _cost = UsualCost();
    }

    /// <summary>What the last guesses took to make, in plain steps.</summary>
    public double Drafting { get; private set; }

    /// <summary>Tells how many steps are to come; see <see cref="Gpt2Forward.Expect"/>. By default nothing is spent on guesses that gain nothing.</summary>
    public void Expect(int steps, bool? resident)
    {
        if (resident is not null || _account.IsAhead) _forward.Expect(steps, resident);
    }

    /// <summary>Lets the texts guess as far as that pays, and puts them back to where they were.</summary>
    /// <param name="texts">The texts under way.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; the texts are where they were.</exception>
    public void Guess(IReadOnlyList<QueuedText> texts, CancellationToken cancellationToken)
    {
        _drafts.Clear();
        Drafting = 0;
        int max = Worthwhile(texts.Count, out double gain);
        if (max == 0 && !_account.IsPlain) Rest();
        foreach (QueuedText text in texts)
        {
            int wanted = text.BeginGuess(new GuessTerms(_account, texts.Count, max, max > 0 ? gain : 0));
            if (wanted > 0) _drafts.Add(new Draft(text, text.Cache!.Length, wanted));
        }

        try
        {
            for (int guessed = 0; TakeOpen(guessed); guessed++, Drafting += CostOf(texts.Count)) Step(cancellationToken);
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
        _proven = right;
        if (right > 0) _rest = FirstRest;
        for (int i = 0; i < Math.Min(right + 1, guessed); i++)
            _rightness += ((i < right ? 1 : 0) - _rightness) / Math.Min(FirstWeight + _learned++, MostWeight);
    }

    /// <summary>Learns what a step over some rows took.</summary>
    internal void Learn(int rows, double seconds)
    {
        if (_account.Pass.IsKnown) _cost.Note(rows, seconds / _account.Pass.Of(1));
    }

    /// <summary>How many tokens to guess, so that a text gets on fastest.</summary>
    /// <param name="texts">How many texts are under way.</param>
    /// <param name="gain">How many times as fast that is, as it seems.</param>
    internal int Worthwhile(int texts, out double gain)
    {
        gain = 0;
        int length = _account.Worthwhile(texts, MaxGuesses, CostOf(texts), _ => _rightness, _proven, ref gain);
        return _proven > 0 ? length : Math.Min(length, 1); // one tells whether others are of use
    }

    /// <summary>A step in which it does not guess: after enough of them it forgets what spoke against guessing.</summary>
    internal void Rest()
    {
        if (++_rested < _rest) return;
        (_rested, _rest) = (0, 2 * _rest);
        (_rightness, _learned, _cost) = (InitialRightness, 0, UsualCost());
    }

    private PassCost UsualCost() => new(_forward.Precision, usualFirst: _usualCost);

    // what a step takes, in plain ones
    private double CostOf(int texts) => _cost.Of(texts) * _account.Pass.Of(1) / _account.Pass.Of(texts);

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
        long start = Stopwatch.GetTimestamp();
        _forward.Begin();
        for (int i = 0; i < _open.Count; i++) _rows[i] = _forward.Add(_open[i].Text.Cache!, [_open[i].Text.Last]);
        _forward.Run(cancellationToken);
        Matrix logits = _forward.Logits(_rows.AsSpan(0, _open.Count)); // [texts, n_vocab]
        for (int i = 0; i < _open.Count; i++) _open[i].Text.TakeGuess(logits.Row(i));
        Learn(_open.Count, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>A text that guesses: how long its exact context is, and how many tokens it wants.</summary>
    private readonly record struct Draft(QueuedText Text, int Length, int Wanted);
}
