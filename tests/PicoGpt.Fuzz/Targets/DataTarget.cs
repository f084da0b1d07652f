using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A checkpoint's data files, with the index's checksums as they were or repaired.</summary>
internal sealed class DataTarget : FuzzTarget
{
    private readonly List<(byte[] Key, byte[] Value)> _entries;

    public DataTarget(string root)
        : base("data", root)
    {
        ToyCheckpoint.Write(Folder);
        Begin();
        _entries = ToyCheckpoint.EntriesOf(Good(ToyCheckpoint.Index));
    }

    public override string Read() => CheckpointReading.Read(Path.Combine(Folder, "m"));

    public override Mutant Mutate(Dice dice)
    {
        string shard = dice.Pick(ToyCheckpoint.Shards);
        byte[] bytes = dice.Chance(0.5) ? ByteMutations.FlipBit(Good(shard), dice) : ByteMutations.Change(Good(shard), dice);
        if (dice.Chance(0.4)) return new Mutant([(shard, bytes)], IsCovered: true);
        byte[][] shards = [.. ToyCheckpoint.Shards.Select(name => name == shard ? bytes : Good(name))];
        byte[] index = new TableForge(dice).Build([.. _entries.Select(entry => (entry.Key, Seal(entry, shards)))], isDistorted: false);
        return new Mutant([(shard, bytes), (ToyCheckpoint.Index, index)], IsCovered: false);
    }

    // the checksum of what lies where the tensor is
    private static byte[] Seal((byte[] Key, byte[] Value) entry, byte[][] shards)
    {
        if (entry.Key.Length == 0) return entry.Value;
        TensorEntry old = BundleEntryCodec.Decode("", entry.Value, shards.Length);
        byte[] data = shards[old.ShardId];
        if (old.IsPartitioned || old.Offset + old.Size > data.Length) return entry.Value;
        uint crc = Crc32C.Compute(data.AsSpan((int)old.Offset, (int)old.Size));
        if (old.DType == TensorDType.String) crc = SealOfStrings(data.AsSpan((int)old.Offset, (int)old.Size), old) ?? crc;
        return BundleEntryCodec.Encode(new TensorEntry("", old.DType, old.Shape, old.ShardId, old.Offset, old.Size, Crc32C.Mask(crc), []));
    }

    private static uint? SealOfStrings(ReadOnlySpan<byte> bytes, TensorEntry entry)
    {
        try
        {
            StringTensor.Decode(bytes, entry.Shape.ElementCount, out uint crc);
            return crc;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
