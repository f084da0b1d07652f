using PicoGpt.Files;
using PicoGpt.Weights;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The weights that were converted to a reduced precision and kept beside the model.</summary>
internal sealed class ConvertedTarget : FuzzTarget, IDisposable
{
    private const string Index = "converted/int8.index";
    private const string Data = "converted/int8.data-00000-of-00001";

    private readonly Gpt2Model _model;
    private readonly List<(byte[] Key, byte[] Value)> _entries;

    public ConvertedTarget(string root)
        : base("converted", root)
    {
        RandomModel.Write(Folder, ToyModel.Shape);
        _model = Gpt2Model.Open(Folder);
        Read();
        Begin();
        _entries = ToyCheckpoint.EntriesOf(Good(Index));
    }

    public override string Read()
    {
        using PackedWeights weights = PackedWeights.Open(_model.Parameters, Folder, Gpt2Precision.Int8, smallestFile: 0);
        return string.Join(' ', PackedWeights.MatricesOf(_model.Parameters).Select(weight => $"{Crc32C.Compute(weights[weight].Span):x8}"));
    }

    // Whatever lies there, it is used only where it fits, and made again elsewhere.
    public override Mutant Mutate(Dice dice)
    {
        if (dice.Chance(0.2)) return new Mutant([(Data, ByteMutations.Change(Good(Data), dice)), (Index, Good(Index))], IsCovered: true);
        if (dice.Chance(0.2)) return new Mutant([(Data, Good(Data)), (Index, ByteMutations.Change(Good(Index), dice))], IsCovered: true);
        byte[] index = new TableForge(dice).Build(IndexMutations.Change(_entries, [Good(Data)], dice), isDistorted: dice.Chance(0.3));
        return new Mutant([(Data, Good(Data)), (Index, index)], IsCovered: false);
    }

    public void Dispose() => _model.Dispose();
}
