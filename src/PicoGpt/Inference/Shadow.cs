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
    private const double MinGain = 1.02;

    /// <summary>The most that guesses may lose of a text's time, as a share.</summary>
    public const double MostLoss = 0.03;

    // A text may end long before it has as many tokens as it may have.
    private const int MostToCount = 100;

    // The first guesses tell the most: what is learned from one falls from a third to a tenth.
    private const int FirstWeight = 3;
    private const int MostWeight = 10;

    // A step without a guess makes it forget what spoke against guessing. A new attempt every thirty or forty steps costs less than two per cent.
    private const double RightnessRecovery = 0.002;
    private const double CostRecovery = 0.01;

    // The system may take the processor away in the middle of a step.
    private const double MostDearer = 2;

    // Where guessing gains little, a plain step now and then tells whether that is still so: of its passes alone the line is not known.
    private const int RoundsToPlain = 8;
    private const double ClearGain = 1.5;

    private readonly Gpt2Forward _forward;
    private readonly PassCost _pass;
    private readonly double _usualCost;
    private readonly double _mostLoss;
    private readonly List<Draft> _drafts = [];
    private readonly List<Draft> _open = [];
    private readonly int[] _rows = new int[Gpt2Forward.MaxLogits];
    private double _rightness = InitialRightness; // the probability that a token is right, as it seems
    private double _cost; // what a step takes, as a share of an exact pass over as many rows
    private double _balance; // plain steps that guesses have saved so far, as it seems
    private int _learned, _measured, _rounds, _steps, _mostSteps;

    /// <param name="forward">The reduced form's forward pass; it is disposed of with the shadow.</param>
    /// <param name="pass">What the exact passes take.</param>
    /// <param name="usualCost">What a step usually takes, as a share of an exact pass over as many rows.</param>
    /// <param name="mostLoss">The most that guesses may lose of a text's time, as a share.</param>
    public Shadow(Gpt2Forward forward, PassCost pass, double usualCost, double mostLoss = MostLoss)
    {
        (_forward, _pass, _usualCost, _mostLoss) = (forward, pass, usualCost, mostLoss);
        _cost = usualCost;
    }

    /// <summary>Tells how many steps are to come; see <see cref="Gpt2Forward.Expect"/>.</summary>
    public void Expect(int steps, bool? resident) => _forward.Expect(steps, resident);

    /// <summary>Lets the texts guess as far as that pays, and puts them back to where they were.</summary>
    /// <param name="texts">The texts under way.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; the texts are where they were.</exception>
    public void Guess(IReadOnlyList<QueuedText> texts, CancellationToken cancellationToken)
    {
        _drafts.Clear();
        int max = Worthwhile(texts.Count, out double gain, Affordable(texts));
        if (max == 0) Recover();
        else if (gain < ClearGain && ++_rounds % RoundsToPlain == 0) max = 0;
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
    /// <param name="texts">How many texts were under way.</param>
    public void Learn(int texts)
    {
        _steps++;
        if (_drafts.Count == 0) return;
        int guessed = 0, right = 0, longest = 0;
        foreach (QueuedText text in _drafts.Select(draft => draft.Text))
        {
            Learn(text.Guessed, text.Right);
            (guessed, right, longest) = (guessed + text.Guessed, right + text.Right, Math.Max(longest, text.Guessed));
        }

        _drafts.Clear();
        _balance += ((double)right / texts) - Price(texts, longest, guessed);
    }

    public void Dispose() => _forward.Dispose();

    internal void Learn(int guessed, int right)
    {
        for (int i = 0; i < Math.Min(right + 1, guessed); i++)
            _rightness += ((i < right ? 1 : 0) - _rightness) / Math.Min(FirstWeight + _learned++, MostWeight);
    }

    /// <summary>Learns what a step over some rows took.</summary>
    internal void Learn(int rows, double seconds)
    {
        if (!_pass.IsKnown) return;
        double cost = Math.Min(seconds / _pass.Of(rows), MostDearer * _cost);
        _cost += (cost - _cost) / Math.Min(FirstWeight + _measured++, MostWeight);
    }

    /// <summary>
    /// How many tokens to guess, so that a text gets on fastest. Of n guesses, each right with the probability p, a pass keeps
    /// 1 + p + … + pⁿ tokens.
    /// </summary>
    /// <param name="texts">How many texts are under way.</param>
    /// <param name="gain">How many times as fast that is, as it seems.</param>
    /// <param name="affordable">The plain steps that may be lost if all of them are wrong.</param>
    internal int Worthwhile(int texts, out double gain, double affordable = double.PositiveInfinity)
    {
        double step = _pass.Of(texts), tokens = 1, power = 1;
        int length = 0;
        gain = MinGain;
        for (int n = 1; n <= MaxGuesses && texts * (n + 1) <= Gpt2Forward.MaxLogits && Price(texts, n, texts * n) <= affordable; n++)
        {
            tokens += power *= _rightness;
            double times = tokens * step / ((n * _cost * step) + _pass.Of(texts * (n + 1)));
            if (times > gain) (gain, length) = (times, n);
        }

        return length;
    }

    /// <summary>Forgets a little of what spoke against guessing, so that it is tried again eventually.</summary>
    internal void Recover()
    {
        _rightness = Math.Min(_rightness + RightnessRecovery, 1);
        _cost -= CostRecovery * Math.Max(_cost - _usualCost, 0);
    }

    // What guesses take beyond a plain step, in plain steps.
    private double Price(int texts, int steps, int guessed) => (steps * _cost) + (_pass.Of(texts + guessed) / _pass.Of(texts)) - 1;

    private double Affordable(IReadOnlyList<QueuedText> texts)
    {
        int toCome = 0;
        foreach (QueuedText text in texts) toCome = Math.Max(toCome, text.TokensToCome);
        _mostSteps = Math.Max(_mostSteps, _steps + Math.Min(toCome, MostToCount));
        return _balance + (_mostLoss * _mostSteps);
    }

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
