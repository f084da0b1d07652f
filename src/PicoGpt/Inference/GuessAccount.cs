namespace PicoGpt.Inference;

/// <summary>
/// Chooses how far to guess, so that texts get on fastest, and keeps account of what guesses have gained and lost: where they do not pay, they end
/// before they have lost more than a small share of the time. All of it counts in plain steps, passes that guess nothing.
/// </summary>
/// <param name="pass">What the exact passes take.</param>
/// <param name="mostLoss">The most that guesses may lose of the time, as a share.</param>
internal sealed class GuessAccount(PassCost pass, double mostLoss = GuessAccount.MostLoss)
{
    /// <summary>The most that guesses may lose of a text's time, as a share.</summary>
    public const double MostLoss = 0.025;

    // What is not at least so many times as fast is not worth it.
    private const double MinGain = 1.05;

    // The longer a guess is, the more is lost when it is wrong: a token more must gain so many times as much.
    private const double MinMore = 1.01;

    // Where guessing gains little, a plain step now and then tells whether that is still so: of passes over several rows alone it is not known.
    private const int RoundsToPlain = 8;
    private const double ClearGain = 1.5;

    // A text may end long before it has as many tokens as it may have.
    private const int MostToCount = 100;

    // What copying the reduced form's weights takes is about as much.
    private const double ClearBalance = 5;

    private double _balance;
    private double _gain; // of the step
    private int _steps, _mostSteps, _rounds;

    /// <summary>Whether nothing is to be guessed in this step, so that it tells what a plain one takes.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>What the exact passes take.</summary>
    public PassCost Pass => pass;

    /// <summary>Whether guesses have gained enough for something to be spent on further ones.</summary>
    public bool IsAhead => _balance >= ClearBalance;

    /// <summary>Begins a step.</summary>
    /// <param name="toCome">The most tokens that are to come.</param>
    public void Begin(int toCome)
    {
        _mostSteps = Math.Max(_mostSteps, _steps++ + Math.Min(toCome, MostToCount));
        IsPlain = _rounds == RoundsToPlain;
        if (IsPlain) _rounds = 0;
        _gain = double.PositiveInfinity;
    }

    /// <summary>
    /// How many tokens to guess. Of n guesses a pass keeps 1 + p₁ + p₁p₂ + … tokens. What guesses may lose is what they take, less what the last
    /// ones had right: so the first are few, those after right ones get longer fast, and where all are wrong little is lost.
    /// </summary>
    /// <param name="texts">How many texts are under way; each is taken to guess as many.</param>
    /// <param name="most">The most guesses.</param>
    /// <param name="step">What making a guess takes.</param>
    /// <param name="rightness">The probability that a guess is right where those before it are.</param>
    /// <param name="proven">How many of the last guesses were right.</param>
    /// <param name="gain">How many times as fast it must be at least; how many times as fast that is, as it seems.</param>
    public int Worthwhile(int texts, int most, double step, Func<int, double> rightness, int proven, ref double gain)
    {
        double tokens = 1, power = 1, stake = proven + _balance + (mostLoss * _mostSteps);
        int length = 0;
        gain = Math.Max(gain, MinGain);
        for (int n = 1; n <= most && texts * (n + 1) <= Gpt2Forward.MaxLogits && !IsPlain; n++)
        {
            tokens += power *= rightness(n - 1);
            double price = Price(texts, n * step, texts * n);
            if (tokens / (1 + price) > (length > 0 ? MinMore : 1) * gain) (gain, length) = (tokens / (1 + price), n);
        }

        if (length > 0) _gain = Math.Min(_gain, gain);
        while (length > 0 && Price(texts, length * step, texts * length) > stake) length--;
        return length;
    }

    /// <summary>Books a step that guessed.</summary>
    /// <param name="texts">How many texts were under way.</param>
    /// <param name="drafting">What making the guesses took.</param>
    /// <param name="guessed">Tokens that were guessed.</param>
    /// <param name="right">Tokens of them that were right.</param>
    public void Book(int texts, double drafting, int guessed, int right)
    {
        _balance += ((double)right / texts) - Price(texts, drafting, guessed);
        _rounds = _gain < ClearGain ? _rounds + 1 : 0;
    }

    // What guesses take beyond a plain step.
    private double Price(int texts, double drafting, int guessed) => drafting + (pass.Of(texts + guessed) / pass.Of(texts)) - 1;
}
