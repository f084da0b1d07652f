namespace PicoGpt.Fuzz.Targets;

/// <summary>A checkpoint's <c>.index</c>.</summary>
internal sealed class IndexTarget : FuzzTarget
{
    private readonly List<(byte[] Key, byte[] Value)> _entries;
    private readonly byte[][] _shards;

    public IndexTarget(string root)
        : base("index", root)
    {
        ToyCheckpoint.Write(Folder);
        Begin();
        _entries = ToyCheckpoint.EntriesOf(Good(ToyCheckpoint.Index));
        _shards = [.. ToyCheckpoint.Shards.Select(Good)];
    }

    public override string Read() => CheckpointReading.Read(Path.Combine(Folder, "m"));

    public override Mutant Mutate(Dice dice)
    {
        byte[] good = Good(ToyCheckpoint.Index);
        if (dice.Chance(0.1)) return new Mutant([(ToyCheckpoint.Index, ByteMutations.FlipBit(good, dice))], IsCovered: true);
        if (dice.Chance(0.1)) return new Mutant([(ToyCheckpoint.Index, ByteMutations.Change(good, dice))], IsCovered: true);
        byte[] forged = new TableForge(dice).Build(IndexMutations.Change(_entries, _shards, dice), isDistorted: dice.Chance(0.4));
        return new Mutant([(ToyCheckpoint.Index, forged)], IsCovered: false);
    }
}
