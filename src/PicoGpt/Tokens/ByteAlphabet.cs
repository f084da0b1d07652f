namespace PicoGpt.Tokens;

/// <summary>
/// GPT-2's printable spelling of bytes: 33–126, 161–172 and 174–255 are themselves, the other 68 are the code points from
/// 256 on, in order (<c>bytes_to_unicode</c> in OpenAI's encoder.py).
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>The character of each byte.</summary>
    public static readonly char[] Characters = Spell();

    private static readonly short[] Bytes = Invert();

    /// <summary>The bytes in the order of their ids in OpenAI's vocabulary: those that spell themselves come first.</summary>
    public static readonly byte[] InOrder = Order();

    private static readonly byte[] Ids = Number();

    /// <summary>The byte that a character spells; false where it spells none.</summary>
    public static bool TryGetByte(char character, out byte value)
    {
        short found = character < Bytes.Length ? Bytes[character] : (short)-1;
        value = (byte)found;
        return found >= 0;
    }

    /// <summary>The id of a byte in OpenAI's vocabulary.</summary>
    public static int IdOf(byte value) => Ids[value];

    /// <summary>The bytes that a symbol spells, or <see langword="null"/> where a character of it spells none.</summary>
    public static byte[]? TryDecode(string symbol)
    {
        byte[] bytes = new byte[symbol.Length];
        return TryDecode(symbol, bytes) ? bytes : null;
    }

    /// <summary>Writes the bytes that a symbol spells; false where a character of it spells none.</summary>
    public static bool TryDecode(ReadOnlySpan<char> symbol, Span<byte> bytes)
    {
        for (int i = 0; i < symbol.Length; i++)
        {
            if (!TryGetByte(symbol[i], out bytes[i])) return false;
        }

        return true;
    }

    /// <summary>The spelling of some bytes.</summary>
    public static string Spell(ReadOnlySpan<byte> bytes) => string.Create(bytes.Length, bytes, (characters, source) =>
    {
        for (int i = 0; i < characters.Length; i++) characters[i] = Characters[source[i]];
    });

    private static char[] Spell()
    {
        char[] characters = new char[256];
        int next = 256;
        for (int b = 0; b < 256; b++)
            characters[b] = b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? (char)b : (char)next++;
        return characters;
    }

    private static short[] Invert()
    {
        short[] bytes = new short[512];
        Array.Fill(bytes, (short)-1);
        for (int b = 0; b < 256; b++) bytes[Characters[b]] = (short)b;
        return bytes;
    }

    private static byte[] Order()
    {
        byte[] inOrder = new byte[256];
        int count = 0;
        foreach (short found in Bytes)
        {
            if (found >= 0) inOrder[count++] = (byte)found;
        }

        return inOrder;
    }

    private static byte[] Number()
    {
        byte[] ids = new byte[256];
        for (int id = 0; id < 256; id++) ids[InOrder[id]] = (byte)id;
        return ids;
    }
}
