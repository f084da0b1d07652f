using PicoGpt.Architecture;
using PicoGpt.Tokens;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The <c>config.json</c> of a Hugging Face folder.</summary>
internal sealed class ConfigTarget : FuzzTarget
{
    public ConfigTarget(string root)
        : base("config.json", root)
    {
        byte[] config = HuggingFaceConfig.Format(ToyModel.Shape, json => GenerationConfig.Write(json, new SpecialIds(259, [259])), "float32");
        File.WriteAllBytes(Path.Combine(Folder, HuggingFaceConfig.FileName), config);
        Begin();
    }

    public override string Read() => HuggingFaceConfig.Load(Path.Combine(Folder, HuggingFaceConfig.FileName)).ToString();

    public override Mutant Mutate(Dice dice) =>
        new([(HuggingFaceConfig.FileName, TextMutations.Change(Good(HuggingFaceConfig.FileName), dice))], IsCovered: false);
}
