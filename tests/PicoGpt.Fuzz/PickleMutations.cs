using System.Buffers.Binary;
using System.Text;

namespace PicoGpt.Fuzz;

/// <summary>Changes to a pickle that leave its opcodes whole: what they say and where they stand is another.</summary>
internal static class PickleMutations
{
    private const int MaxRepetitions = 1 << 19;

    private static readonly string[] Plain =
    [
        "(", ")", "t", "u", "e", "a", "s", "]", "}", "N", "Q", "R", "b", ".", "\x85", "\x86", "\x87", "\x88", "\x89", "\x93", "\x94",
    ];

    // of Python's own reader, and what is not an opcode at all
    private static readonly string[] Foreign =
    [
        "0", "1", "2", "I1\n", "L1L\n", "F1\n", "S'x'\n", "Vx\n", "T\xff\xff\xff\xff", "U\x01x", "l", "d", "p0\n", "g0\n", "i" + "os\nsystem\n",
        "o", "\x81", "\x92", "\x82\x01", "\x83\x01\0", "\x84\x01\0\0\0", "\x8b\xff\xff\xff\x7f", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8e", "\x8f",
        "\x90", "\x91", "\x96", "\x97", "\x98", "\0", "\xff",
    ];

    private static readonly string[] Globals =
    [
        "os system", "posix system", "builtins eval", "builtins getattr", "torch load", "torch FloatStorage", "torch DoubleStorage",
        "torch BoolStorage", "torch.cuda HalfStorage", "torch QInt8Storage", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter",
        "torch._utils _rebuild_qtensor", "collections OrderedDict", "collections defaultdict", "\x1b[2J \x07", " ",
    ];

    private static readonly string[] Texts = ["", "storage", "cpu", "0", "1", "9", "h.0.attn.c_attn.weight", "\x1b]0;x\x07", "\xff\xfe", "../0", "torch", "os", "system"];

    public static byte[] Change(byte[] good, Dice dice)
    {
        if (dice.Chance(0.2)) return ByteMutations.Change(good, dice);
        List<string> opcodes = Split(Encoding.Latin1.GetString(good));
        for (int changes = 1 + (dice.Chance(0.6) ? dice.Next(4) : 0); changes > 0; changes--) ChangeOnce(opcodes, dice);
        return Encoding.Latin1.GetBytes(string.Concat(opcodes));
    }

    private static void ChangeOnce(List<string> opcodes, Dice dice)
    {
        int at = dice.Next(opcodes.Count), length = Math.Min(opcodes.Count - at, 1 + dice.Next(dice.Pick([2, 10, 40])));
        switch (dice.Next(9))
        {
            case 0 when opcodes.Count > length: opcodes.RemoveRange(at, length); break;
            case 1: opcodes.InsertRange(dice.Next(opcodes.Count + 1), opcodes.GetRange(at, length)); break;
            case 2: opcodes.Insert(at, Any(dice)); break;
            case 3: opcodes[at] = Any(dice); break;
            case 4: (opcodes[at], opcodes[at + length - 1]) = (opcodes[at + length - 1], opcodes[at]); break;
            case 5: Repeat(opcodes, at, Math.Min(length, 4), dice); break;
            case 6: Refer(opcodes, at, dice); break;
            default: Replace(opcodes, dice); break;
        }
    }

    private static string Any(Dice dice) => dice.Next(8) switch
    {
        0 => dice.Pick(Foreign),
        1 => Number(dice),
        2 => TorchBytes.Text(dice.Pick(Texts)),
        3 => Global(dice),
        4 => dice.Pick(["h", "q"]) + (char)dice.Next(8),
        5 => dice.Pick(["j", "r"]) + Encoding.Latin1.GetString(BitConverter.GetBytes((uint)dice.Number())),
        _ => dice.Pick(Plain),
    };

    private static string Global(Dice dice) => "c" + dice.Pick(Globals).Replace(' ', '\n') + "\n";

    private static string Number(Dice dice) => dice.Chance(0.9)
        ? TorchBytes.Int(unchecked((long)dice.Number()))
        : "\x8a" + (char)(dice.Next(20)) + new string((char)dice.Next(256), 20);

    // a number, text or global of the file, by another of its kind
    private static void Replace(List<string> opcodes, Dice dice)
    {
        char kind = dice.Pick(['K', 'K', 'X', 'c']);
        int[] places = [.. Enumerable.Range(0, opcodes.Count).Where(i => opcodes[i][0] == kind)];
        if (places.Length == 0) return;
        opcodes[dice.Pick(places)] = kind switch { 'K' => Number(dice), 'X' => TorchBytes.Text(dice.Pick(Texts)), _ => Global(dice) };
    }

    private static void Repeat(List<string> opcodes, int at, int length, Dice dice)
    {
        string[] repeated = [.. opcodes.GetRange(at, length)];
        int count = Math.Min(dice.Next(4) << dice.Next(18), MaxRepetitions / repeated.Sum(opcode => opcode.Length));
        opcodes.Insert(at, string.Concat(Enumerable.Repeat(string.Concat(repeated), count)));
        if (opcodes[at].Length == 0) opcodes.RemoveAt(at);
    }

    // what stands on the stack at one place is named, and stands at another place too
    private static void Refer(List<string> opcodes, int at, Dice dice)
    {
        string name = ((char)dice.Next(4)).ToString();
        opcodes.Insert(at, "q" + name);
        int later = at + 1 + dice.Next(opcodes.Count - at);
        for (int times = 1 + dice.Next(3); times > 0; times--) opcodes.Insert(later, "h" + name);
    }

    private static List<string> Split(string pickle)
    {
        List<string> opcodes = [];
        for (int at = 0; at < pickle.Length; at += opcodes[^1].Length) opcodes.Add(pickle.Substring(at, LengthAt(pickle, at)));
        return opcodes;
    }

    // Of the opcodes that the good pickle has.
    private static int LengthAt(string pickle, int at) => pickle[at] switch
    {
        '\x80' or 'K' => 2,
        'M' => 3,
        'J' => 5,
        'G' => 9,
        '\x8a' => 2 + pickle[at + 1],
        'X' => 5 + BinaryPrimitives.ReadInt32LittleEndian(Encoding.Latin1.GetBytes(pickle.Substring(at + 1, sizeof(int)))),
        'c' => pickle.IndexOf('\n', pickle.IndexOf('\n', at) + 1) + 1 - at,
        _ => 1,
    };
}
