namespace PicoGpt.Fuzz;

/// <summary>Changes to the entries of a checkpoint's index, before they are put into a table.</summary>
internal static class IndexMutations
{
    public static List<(byte[] Key, byte[] Value)> Change(IReadOnlyList<(byte[] Key, byte[] Value)> good, IReadOnlyList<byte[]> shards, Dice dice)
    {
        List<(byte[] Key, byte[] Value)> entries = [.. good];
        for (int changes = dice.Next(4); changes > 0 && entries.Count > 0; changes--) ChangeOnce(entries, dice);
        var forge = new EntryForge(dice, shards);
        if (dice.Chance(0.3)) entries.Add(forge.Tensor());
        if (dice.Chance(0.02)) entries.AddRange(forge.Partitioned());
        if (dice.Chance(0.9)) entries.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key)); // the order is checked before the values
        return entries;
    }

    private static void ChangeOnce(List<(byte[] Key, byte[] Value)> entries, Dice dice)
    {
        int at = dice.Next(entries.Count);
        (byte[] key, byte[] value) = entries[at];
        switch (dice.Next(12))
        {
            case 0: entries.RemoveAt(at); break;
            case 1: entries.Insert(dice.Next(entries.Count), (key, value)); break;
            case 2: entries[at] = (ByteMutations.Change(key, dice), value); break;
            case 3: entries[at] = (key, entries[dice.Next(entries.Count)].Value); break;
            case 4: entries[0] = ([], ProtoMutations.Change(entries[0].Value, dice)); break; // the header
            default: entries[at] = (key, ProtoMutations.Change(value, dice)); break;
        }
    }
}
