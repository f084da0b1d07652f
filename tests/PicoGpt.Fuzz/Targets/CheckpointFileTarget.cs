using System.Text;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The text file <c>checkpoint</c>.</summary>
internal sealed class CheckpointFileTarget : FuzzTarget
{
    public CheckpointFileTarget(string root)
        : base("checkpoint", root)
    {
        ToyCheckpoint.Write(Folder);
        Begin();
    }

    public override string Read() => CheckpointReading.Read(Folder);

    public override Mutant Mutate(Dice dice)
    {
        byte[] good = dice.Chance(0.7) ? Good("checkpoint") : Encoding.UTF8.GetBytes("model_checkpoint_path: \"/tmp/a\\\\b\\\"\\x41\\101/m\"\n");
        return new Mutant([("checkpoint", TextMutations.Change(good, dice))], IsCovered: false);
    }
}
