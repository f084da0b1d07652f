using System.Runtime.InteropServices;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Weights;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A whole model: opened, its weights looked at, a text generated.</summary>
internal sealed class ModelTarget : FuzzTarget
{
    private static readonly GenerationOptions Options = new() { MaxTokens = 2, Threads = 1 };

    private static readonly float[] Values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -float.MaxValue, 1e-45f, 0, -0f];

    private readonly List<(byte[] Key, byte[] Value)> _entries;

    public ModelTarget(string root)
        : base("model", root)
    {
        RandomModel.Write(Folder, ToyModel.Shape);
        Begin();
        _entries = ToyCheckpoint.EntriesOf(Good(ToyModel.Index));
    }

    public override string Read()
    {
        using Gpt2Model model = Gpt2Model.Open(Folder);
        foreach (Gpt2Weight weight in model.Parameters) _ = weight.Statistics;
        return TextGeneration.Run(model, "ab", Options).Text;
    }

    public override Mutant Mutate(Dice dice)
    {
        byte[] data = Good(ToyModel.Data);
        if (dice.Chance(0.1)) return new Mutant([(ToyModel.Data, ByteMutations.FlipBit(data, dice))], IsCovered: true);
        if (dice.Chance(0.1)) return Change("encoder.json", dice);
        if (dice.Chance(0.1)) return Change(Gpt2HyperParameters.FileName, dice);
        if (dice.Chance(0.4))
        {
            byte[] forged = new TableForge(dice).Build(IndexMutations.Change(_entries, [data], dice), isDistorted: false);
            return new Mutant([(ToyModel.Index, forged)], IsCovered: false);
        }

        data = [.. data];
        Span<float> floats = MemoryMarshal.Cast<byte, float>(data.AsSpan());
        for (int changes = 1 + dice.Next(dice.Pick([2, 100, 5000])); changes > 0; changes--) floats[dice.Next(floats.Length)] = dice.Pick(Values);
        byte[] index = new TableForge(dice).Build([.. _entries.Select(entry => (entry.Key, Seal(entry, data)))], isDistorted: false);
        return new Mutant([(ToyModel.Data, data), (ToyModel.Index, index)], IsCovered: false);
    }

    private Mutant Change(string file, Dice dice) => new([(file, TextMutations.Change(Good(file), dice))], IsCovered: false);

    private static byte[] Seal((byte[] Key, byte[] Value) entry, byte[] data)
    {
        if (entry.Key.Length == 0) return entry.Value;
        TensorEntry old = BundleEntryCodec.Decode("", entry.Value, shardCount: 1);
        uint crc = Crc32C.Mask(Crc32C.Compute(data.AsSpan((int)old.Offset, (int)old.Size)));
        return BundleEntryCodec.Encode(new TensorEntry("", old.DType, old.Shape, 0, old.Offset, old.Size, crc, []));
    }
}
