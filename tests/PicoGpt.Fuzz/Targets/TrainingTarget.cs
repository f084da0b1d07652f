using System.Globalization;
using PicoGpt.Training;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The folder of a training that is resumed: its journal, and the moments beside the weights.</summary>
internal sealed class TrainingTarget : FuzzTarget
{
    private const string Journal = "training-1.json", Index = "model-1.index", Data = "model-1.data-00000-of-00001";

    private static readonly int[] Tokens = [.. Enumerable.Range(0, 64).Select(i => i * i % 41)];

    private readonly List<(byte[] Key, byte[] Value)> _entries;

    public TrainingTarget(string root)
        : base("training", root)
    {
        var options = new TrainingOptions { Steps = 2, BatchSize = 1, ContextLength = 4, Threads = 1 };
        using (TemporaryFolder folder = RandomModel.InFolder(ToyModel.Shape))
        using (Gpt2Model model = Gpt2Model.Open(folder.Path))
        using (TrainingRun run = TrainingRun.Begin(model, Folder, Tokens, options, overwrite: true))
        {
            run.Next();
            run.Save();
        }

        Begin();
        _entries = ToyCheckpoint.EntriesOf(Good(Index));
    }

    public override string Read()
    {
        using TrainingRun run = TrainingRun.Resume(Folder, Tokens, options => options);
        return string.Create(CultureInfo.InvariantCulture, $"{run.Step} {run.Options.Steps} {run.Options.Seed} {run.Model.HyperParameters}");
    }

    public override Mutant Mutate(Dice dice)
    {
        if (dice.Chance(0.1)) return new Mutant([(Data, ByteMutations.Change(Good(Data), dice))], IsCovered: true);
        if (dice.Chance(0.1)) return new Mutant([("checkpoint", TextMutations.Change(Good("checkpoint"), dice))], IsCovered: false);
        if (dice.Chance(0.6)) return new Mutant([(Journal, TextMutations.Change(Good(Journal), dice))], IsCovered: false);
        return new Mutant([(Index, new TableForge(dice).Build(IndexMutations.Change(_entries, [Good(Data)], dice), isDistorted: false))], IsCovered: false);
    }
}
