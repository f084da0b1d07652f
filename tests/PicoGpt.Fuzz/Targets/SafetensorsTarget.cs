using System.Buffers.Binary;
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

    public override Mutant Mutate(Dice dice)
    {
        byte[] good = Good(SafetensorsFormat.FileName);
        byte[] bytes = dice.Chance(0.3) ? ByteMutations.Change(good, dice) : ChangeHeader(good, dice);
        return new Mutant([(SafetensorsFormat.FileName, bytes)], IsCovered: false);
    }

    private static byte[] ChangeHeader(byte[] good, Dice dice)
    {
        int dataStart = SafetensorsFile.PrefixLength + (int)BinaryPrimitives.ReadInt64LittleEndian(good);
        byte[] header = TextMutations.Change(good[SafetensorsFile.PrefixLength..dataStart], dice);
        byte[] length = new byte[SafetensorsFile.PrefixLength];
        BinaryPrimitives.WriteUInt64LittleEndian(length, dice.Chance(0.95) ? (ulong)header.Length : dice.Number());
        return [.. length, .. header, .. good.AsSpan(dataStart)];
    }
}
