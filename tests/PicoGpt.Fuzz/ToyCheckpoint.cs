using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;

namespace PicoGpt.Fuzz;

/// <summary>A checkpoint of half a kilobyte that has everything a checkpoint can have.</summary>
internal static class ToyCheckpoint
{
    public const string Index = "m.index";

    public static readonly string[] Shards = ["m.data-00000-of-00002", "m.data-00001-of-00002"];

    public static void Write(string folder)
    {
        using var writer = new TensorBundleWriter(Path.Combine(folder, "m"), new TensorBundleWriterOptions { ShardCount = 2, RestartInterval = 4 });
        writer.AddFloats("model/h0/attn/c_attn/w", new TensorShape(1, 3, 4), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        writer.AddFloats("model/h0/attn/c_attn/b", new TensorShape(4), [0.5f, -0f, float.NaN, 1e-40f], shard: 1);
        writer.Add("model/half", TensorDType.Float16, new TensorShape(3), [0, 0x3c, 0, 0xc0, 0, 0x7c]);
        writer.Add("model/brain", TensorDType.BFloat16, new TensorShape(2), [0x80, 0x3f, 0, 0xc0], shard: 1);
        writer.Add("model/double", TensorDType.Float64, new TensorShape(2), [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8]);
        writer.Add("model/empty", TensorDType.Float32, new TensorShape(0, 7), []);
        writer.Add("global_step", TensorDType.Int64, new TensorShape(), [1, 2, 3, 4, 5, 6, 7, 8], shard: 1);
        writer.AddStrings("names", new TensorShape(2, 2), ["a"u8.ToArray(), [], "bcd"u8.ToArray(), new byte[200]]);
        for (int part = 0; part < 3; part++)
        {
            var slice = new TensorSlice(new TensorExtent(2 * part, 2), TensorExtent.Whole);
            writer.AddSlice("split", TensorDType.Int16, new TensorShape(6, 2), slice, [1, 0, 2, 0, 3, 0, 4, (byte)part], shard: part % 2);
        }

        writer.Finish();
    }

    /// <summary>The entries of an index file, as they stand in it.</summary>
    public static List<(byte[] Key, byte[] Value)> EntriesOf(byte[] index) =>
        [.. SortedTable.ReadEntries(index).Select(entry => (entry.Key, entry.Value.ToArray()))];
}
