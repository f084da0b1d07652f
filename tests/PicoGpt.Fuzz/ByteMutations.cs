using System.Buffers.Binary;

namespace PicoGpt.Fuzz;

/// <summary>Changes that know nothing of the format.</summary>
internal static class ByteMutations
{
    private const int MaxPieceLength = 64;

    /// <summary>One to four changes.</summary>
    public static byte[] Change(byte[] good, Dice dice)
    {
        byte[] bytes = [.. good];
        for (int changes = 1 + (dice.Chance(0.4) ? dice.Next(4) : 0); changes > 0; changes--) bytes = ChangeOnce(bytes, dice);
        return bytes;
    }

    /// <summary>One bit.</summary>
    public static byte[] FlipBit(byte[] good, Dice dice)
    {
        byte[] bytes = [.. good];
        if (bytes.Length > 0) bytes[dice.Next(bytes.Length)] ^= (byte)(1 << dice.Next(8));
        return bytes;
    }

    /// <summary>A number near the end, where a ZIP archive has its directory.</summary>
    public static byte[] ChangeEnd(byte[] good, Dice dice)
    {
        byte[] bytes = [.. good];
        byte[] number = BitConverter.GetBytes(dice.Number());
        int at = bytes.Length - Math.Min(bytes.Length, 1 + dice.Next(dice.Pick([22, 100, 500])));
        number.AsSpan(0, Math.Min(dice.Pick([1, 2, 4, 8]), bytes.Length - at)).CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private static byte[] ChangeOnce(byte[] bytes, Dice dice)
    {
        if (bytes.Length == 0) return dice.Bytes(dice.Next(MaxPieceLength));
        int at = dice.Next(bytes.Length), length = Math.Min(bytes.Length - at, 1 + dice.Next(MaxPieceLength));
        switch (dice.Next(11))
        {
            case 0 or 1: bytes[at] ^= (byte)(1 << dice.Next(8)); return bytes;
            case 2: bytes[at] = (byte)dice.Next(256); return bytes;
            case 3: bytes[at] = dice.Pick<byte>([0, 1, 0x7f, 0x80, 0xff]); return bytes;
            case 4: return WriteNumber(bytes, at, dice);
            case 5: return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
            case 6: return [.. bytes.AsSpan(0, at), .. dice.Bytes(length), .. bytes.AsSpan(at)];
            case 7: return [.. bytes.AsSpan(0, at + length), .. bytes.AsSpan(at)];
            case 8: return bytes[..at];
            case 9: return [.. bytes.AsSpan(0, at), .. Varint(dice), .. bytes.AsSpan(at)];
            default: bytes.AsSpan(at, length).CopyTo(bytes.AsSpan(dice.Next(bytes.Length - length + 1))); return bytes;
        }
    }

    private static byte[] WriteNumber(byte[] bytes, int at, Dice dice)
    {
        byte[] number = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(number, dice.Number());
        number.AsSpan(0, Math.Min(dice.Pick([2, 4, 8]), bytes.Length - at)).CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    // as long as can be, and longer than may be
    private static byte[] Varint(Dice dice)
    {
        byte[] varint = new byte[1 + dice.Next(20)];
        Array.Fill(varint, dice.Pick<byte>([0x80, 0xff]));
        varint[^1] = (byte)dice.Next(128);
        return varint;
    }
}
