using System.Text;

namespace PicoGpt.Fuzz;

/// <summary>
/// Cases of a target that are led by what they take of the engine: one that takes a branch as none before it is kept, and later ones are
/// made of it, of its choices or of its files.
/// </summary>
internal sealed class GuidedFuzzing(FuzzTarget target, CoverageMap coverage)
{
    private const int MaxKept = 4096, MaxFileLength = 1 << 18;

    private readonly List<(byte[] Choices, Mutant Mutant)> _kept = [];
    private readonly byte[] _seen = CoverageMap.Nothing();

    public FuzzRunner Runner { get; } = new(target);

    /// <summary>The cases that took something new.</summary>
    public int Kept => _kept.Count;

    /// <summary>The branches that were taken.</summary>
    public int Branches => _seen.Count(times => times != 0);

    /// <summary>Runs one case.</summary>
    /// <returns>The find, where it is one.</returns>
    public FuzzFind? Run(ulong number)
    {
        var dice = new Dice(number);
        (byte[] choices, Mutant mutant) = Make(dice);
        coverage.Clear();
        FuzzFind? find = Runner.Run(number, mutant);
        if (coverage.AddTo(_seen)) Keep((choices, mutant), dice);
        return find;
    }

    private (byte[] Choices, Mutant Mutant) Make(Dice dice)
    {
        if (_kept.Count == 0 || dice.Chance(0.3)) return Replay([], dice);
        (byte[] choices, Mutant mutant) = dice.Chance(0.5) ? dice.Pick(_kept) : _kept[^(1 + dice.Next(Math.Min(_kept.Count, 16)))];
        if (dice.Chance(0.5)) return Replay(ByteMutations.Change(choices, dice), dice);
        int changed = dice.Next(mutant.Files.Count);
        return (choices, new Mutant([.. mutant.Files.Select((file, i) => i == changed ? (file.Name, Change(file.Bytes, dice)) : file)], IsCovered: false));
    }

    private (byte[] Choices, Mutant Mutant) Replay(byte[] choices, Dice dice)
    {
        var replay = new Dice(choices, dice.Number());
        Mutant mutant = target.Mutate(replay);
        return (replay.Taken, mutant);
    }

    private static byte[] Change(byte[] bytes, Dice dice) => IsText(bytes) ? TextMutations.Change(bytes, dice) : ByteMutations.Change(bytes, dice);

    private static bool IsText(byte[] bytes) => !bytes.AsSpan().Contains((byte)0) && !Encoding.UTF8.GetString(bytes).Contains('\uFFFD');

    private void Keep((byte[] Choices, Mutant Mutant) news, Dice dice)
    {
        if (news.Mutant.Files.Count == 0 || news.Mutant.Files.Any(file => file.Bytes.Length > MaxFileLength)) return;
        if (_kept.Count < MaxKept) _kept.Add(news);
        else _kept[dice.Next(MaxKept)] = news;
    }
}
