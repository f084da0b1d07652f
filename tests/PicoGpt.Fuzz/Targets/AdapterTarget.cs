using System.Globalization;
using PicoGpt.Adapters;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The folder of a low-rank adapter, as PEFT keeps it; its files have no checksums.</summary>
internal sealed class AdapterTarget : FuzzTarget
{
    public AdapterTarget(string root)
        : base("adapter", root)
    {
        using var adapter = new LowRankAdapter(ToyModel.Shape, rank: 2, alpha: 4, _ => true);
        adapter.Initialize(1);
        AdapterFile.Write(Path.Combine(Folder, AdapterFile.FileName), adapter, baseDigest: new string('0', 64));
        byte[] config = AdapterConfig.Format(2, 4, "Toy", AdapterFile.TargetsOf(adapter, ToyModel.Shape.NLayer));
        File.WriteAllBytes(Path.Combine(Folder, AdapterConfig.FileName), config);
        Begin();
    }

    public override string Read()
    {
        var adapter = AdapterFile.Read(Folder, ToyModel.Shape, "Toy");
        long values = adapter.Matrices.Values.Sum(matrices => (long)matrices.A.Length + matrices.B.Length);
        return string.Create(CultureInfo.InvariantCulture, $"{adapter.Config} {adapter.BaseDigest} {adapter.Matrices.Count} {values}");
    }

    public override Mutant Mutate(Dice dice) => dice.Chance(0.5)
        ? new Mutant([(AdapterConfig.FileName, TextMutations.Change(Good(AdapterConfig.FileName), dice))], IsCovered: false)
        : new Mutant([(AdapterFile.FileName, SafetensorsMutations.Change(Good(AdapterFile.FileName), dice))], IsCovered: false);
}
