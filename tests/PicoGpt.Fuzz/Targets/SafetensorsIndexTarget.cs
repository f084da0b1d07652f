using PicoGpt.Checkpoints.Safetensors;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The index of safetensors in several files.</summary>
internal sealed class SafetensorsIndexTarget : FuzzTarget
{
    private const string Index = "model.safetensors.index.json";

    public SafetensorsIndexTarget(string root)
        : base("safetensors.index", root)
    {
        const string File = "model-00001-of-00001.safetensors";
        using (var writer = new SafetensorsWriter(Path.Combine(Folder, File), ToyTensors.All)) ToyTensors.WriteTo(writer);
        string map = string.Join(", ", ToyTensors.All.Select(tensor => $"\"{tensor.Name}\": \"{File}\""));
        System.IO.File.WriteAllText(Path.Combine(Folder, Index), $"{{\"metadata\": {{\"total_size\": 1}}, \"weight_map\": {{{map}}}}}");
        Begin();
    }

    public override string Read() => SourceReading.Read(Path.Combine(Folder, Index));

    public override Mutant Mutate(Dice dice) => new([(Index, TextMutations.Change(Good(Index), dice))], IsCovered: false);
}
