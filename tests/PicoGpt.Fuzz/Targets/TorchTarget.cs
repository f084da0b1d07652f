using static PicoGpt.Fuzz.TorchBytes;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A trainer's checkpoint, as an archive or as the row of pickles of the time before PyTorch 1.6.</summary>
internal sealed class TorchTarget : FuzzTarget
{
    private const string File = "ckpt.pt";

    private static readonly byte[] Storage = [.. Enumerable.Range(0, 96).Select(i => (byte)(3 * i))];

    private readonly byte[] _pickle;

    public TorchTarget(string root)
        : base("torch", root)
    {
        _pickle = Pickle(
            "}(",
            Text("optimizer"), "}(", Text("state"), "}", Int(0), "}", Text("exp_avg"), Any(6, [6]), "ssu",
            Text("config"), Global("argparse", "Namespace"), ")\x81}", Text("lr"), "G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfc" + "sb",
            Text("best"), Global("numpy.core.multiarray", "scalar"), "(", Global("numpy", "dtype"), "(", Text("f8"), "\x89\x88tR", Text("abc"), "tR",
            Text("model"), EmptyDictionary, "(", Text("a"), Any(24, [4, 6]), Text("b"), Any(24, [6, 4], strides: [1, 6]), Text("c"), Any(24, [3, 4], strides: [0, 1], offset: 2), "u",
            Text("model_args"), "}(", Text("n_layer"), Int(2), Text("bias"), "\x89", "uu");
        System.IO.File.WriteAllBytes(Path.Combine(Folder, File), Old(_pickle, 24));
        Begin();
    }

    public override string Read() => SourceReading.Read(Path.Combine(Folder, File));

    public override Mutant Mutate(Dice dice)
    {
        byte[] pickle = dice.Chance(0.8) ? PickleMutations.Change(_pickle, dice) : _pickle;
        byte[] bytes = dice.Chance(0.6) ? Old(pickle, dice.Chance(0.9) ? 24 : (long)dice.Number()) : Archive(pickle, ("0", Storage));
        if (dice.Chance(0.1)) bytes = WithoutChecksums(bytes);
        if (dice.Chance(0.3)) bytes = dice.Chance(0.5) ? ByteMutations.Change(bytes, dice) : ByteMutations.ChangeEnd(bytes, dice);
        return new Mutant([(File, bytes)], IsCovered: false);
    }

    private static byte[] Old(byte[] pickle, long count) => OldFile(pickle, ("0", count, Storage));

    private static string Any(long count, long[] shape, long[]? strides = null, long offset = 0) =>
        OldTensor("FloatStorage", "0", count == 6 ? 24 : count, shape, strides, offset);
}
