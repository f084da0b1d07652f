using PicoGpt.Architecture;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A model's <c>hparams.json</c>, beside weights of another shape.</summary>
internal sealed class HyperParametersTarget : FuzzTarget
{
    public HyperParametersTarget(string root)
        : base("hparams.json", root)
    {
        RandomModel.Write(Folder, ToyModel.Shape);
        Begin();
    }

    public override string Read()
    {
        using Gpt2Model model = Gpt2Model.Open(Folder);
        return model.HyperParameters.ToString();
    }

    public override Mutant Mutate(Dice dice) =>
        new([(Gpt2HyperParameters.FileName, TextMutations.Change(Good(Gpt2HyperParameters.FileName), dice))], IsCovered: false);
}
