using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Fuzz;

/// <summary>Entries of an index that contradict nothing but the data: overlapping, gigantic, empty, in many pieces.</summary>
internal sealed class EntryForge(Dice dice, IReadOnlyList<byte[]> shards)
{
    private static readonly TensorDType[] Types = Enum.GetValues<TensorDType>();

    /// <summary>A tensor of any shape and place.</summary>
    public (byte[] Key, byte[] Value) Tensor()
    {
        TensorEntry entry = Entry(Name(), dice.Pick(Types), Shape(), []);
        return (Encoding.UTF8.GetBytes(entry.Name), BundleEntryCodec.Encode(entry));
    }

    /// <summary>A tensor of pieces that all take the same bytes.</summary>
    public IEnumerable<(byte[] Key, byte[] Value)> Partitioned()
    {
        int pieces = dice.Pick([1, 2, 16, 999, 1000, 1001]), rows = 1 + dice.Next(3), columns = dice.Pick([0, 1, 7, 60, 1 << 20]);
        string name = Name();
        TensorDType type = dice.Pick(Types);
        TensorSlice[] slices = [.. Enumerable.Range(0, pieces).Select(i => new TensorSlice(new TensorExtent(i * rows, rows), TensorExtent.Whole))];
        var whole = new TensorEntry(name, type, new TensorShape(pieces * rows, columns), 0, 0, 0, 0, slices);
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        foreach (TensorSlice slice in slices)
            yield return (OrderedCode.SliceKey(bytes, slice), BundleEntryCodec.Encode(Entry(name, type, new TensorShape(rows, columns), [])));
        yield return (bytes, BundleEntryCodec.Encode(whole));
    }

    private TensorEntry Entry(string name, TensorDType type, TensorShape shape, TensorSlice[] slices)
    {
        int shard = dice.Chance(0.9) ? dice.Next(shards.Count) : (int)(dice.Number() & int.MaxValue);
        byte[] data = shards[Math.Min(shard, shards.Count - 1)];
        Int128 exact = (Int128)shape.ElementCount * (type.ElementSize() ?? 1);
        long size = exact <= long.MaxValue ? (long)exact : long.MaxValue;
        long offset = dice.Chance(0.8) ? dice.Next(data.Length) : (long)(dice.Number() >> 1);
        bool isThere = offset <= data.Length && size <= data.Length - offset;
        uint crc = isThere ? Crc32C.Compute(data.AsSpan((int)offset, (int)size)) : (uint)dice.Number();
        return new TensorEntry(name, type, shape, shard, offset, size, Crc32C.Mask(crc), slices);
    }

    private string Name() => dice.Next(6) switch
    {
        0 => "model/h0/attn/c_attn/w",
        1 => "\u001b[2J\u001b]0;owned\u0007",
        2 => new string('n', 1 + dice.Next(30_000)),
        3 => "../../../etc/passwd",
        4 => "<script>\r\n\u202e\u2028",
        _ => Convert.ToHexString(dice.Bytes(1 + dice.Next(8))),
    };

    private TensorShape Shape()
    {
        long[] dimensions = new long[dice.Chance(0.03) ? 250 + dice.Next(5) : dice.Next(5)];
        for (int d = 0; d < dimensions.Length; d++) dimensions[d] = dice.Chance(0.7) ? dice.Next(9) : (long)(dice.Number() >> 1);
        while (!TensorShape.TryCountElements(dimensions, out _)) dimensions[dice.Next(dimensions.Length)] = 1;
        return new TensorShape(dimensions);
    }
}
