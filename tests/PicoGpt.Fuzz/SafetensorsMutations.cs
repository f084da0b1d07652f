using System.Buffers.Binary;
using PicoGpt.Checkpoints.Safetensors;

namespace PicoGpt.Fuzz;

/// <summary>Changes to a safetensors file: to its header, which is JSON behind its length, or anywhere.</summary>
internal static class SafetensorsMutations
{
    public static byte[] Change(byte[] good, Dice dice) => dice.Chance(0.3) ? ByteMutations.Change(good, dice) : ChangeHeader(good, dice);

    private static byte[] ChangeHeader(byte[] good, Dice dice)
    {
        int dataStart = SafetensorsFile.PrefixLength + (int)BinaryPrimitives.ReadInt64LittleEndian(good);
        byte[] header = TextMutations.Change(good[SafetensorsFile.PrefixLength..dataStart], dice);
        byte[] length = new byte[SafetensorsFile.PrefixLength];
        BinaryPrimitives.WriteUInt64LittleEndian(length, dice.Chance(0.95) ? (ulong)header.Length : dice.Number());
        return [.. length, .. header, .. good.AsSpan(dataStart)];
    }
}
