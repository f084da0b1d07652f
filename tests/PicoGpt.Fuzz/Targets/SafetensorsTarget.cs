using PicoGpt.Checkpoints.Safetensors;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A <c>model.safetensors</c>; the format has no checksums.</summary>
internal sealed class SafetensorsTarget : FuzzTarget
{
    public SafetensorsTarget(string root)
        : base("safetensors", root)
    {
        using (var writer = new SafetensorsWriter(Path.Combine(Folder, SafetensorsFormat.FileName), ToyTensors.All)) ToyTensors.WriteTo(writer);
        Begin();
    }

    public override string Read() => SourceReading.Read(Path.Combine(Folder, SafetensorsFormat.FileName));

    public override Mutant Mutate(Dice dice) =>
        new([(SafetensorsFormat.FileName, SafetensorsMutations.Change(Good(SafetensorsFormat.FileName), dice))], IsCovered: false);
}
