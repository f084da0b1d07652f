using System.Globalization;
using PicoGpt.Checkpoints.Gguf;
using static PicoGpt.Fuzz.GgufBytes;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A GGUF file with a vocabulary and a tensor of every kind of block; the format has no checksums.</summary>
internal sealed class GgufTarget : FuzzTarget
{
    private const string File = "m.gguf";

    private static readonly uint[] Types = [0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 15, 20, 23, 26, 28, 30];

    private static readonly string[] Texts =
        ["", "gpt2", "llama", "no_vocab", "gpt-2", "default", "a b", "a", " ", "Ġ Ġ", "general.alignment", "split.count", "token_embd.weight", "\u001b[2J", "\0", "\u202e"];

    private readonly List<(string Key, byte[] Value)> _metadata;
    private readonly List<(string Name, uint Type, long[] Dimensions, byte[] Data)> _tensors;

    public GgufTarget(string root)
        : base("gguf", root)
    {
        _metadata =
        [
            ("general.architecture", Text("gpt2")), ("general.alignment", UInt32(32)), ("gpt2.context_length", UInt32(8)), ("gpt2.embedding_length", UInt32(256)),
            ("gpt2.feed_forward_length", UInt32(1024)), ("gpt2.block_count", UInt32(1)), ("gpt2.attention.head_count", UInt32(2)),
            ("gpt2.attention.layer_norm_epsilon", Float32(1e-5f)), ("tokenizer.ggml.model", Text("gpt2")), ("tokenizer.ggml.pre", Text("gpt-2")),
            ("tokenizer.ggml.tokens", GgufBytes.Texts("a", "b", "ab", "<|endoftext|>")), ("tokenizer.ggml.token_type", Ints(1, 1, 1, 3)),
            ("tokenizer.ggml.merges", GgufBytes.Texts("a b")), ("tokenizer.ggml.add_bos_token", Bool(false)), ("general.size", UInt64(7)),
        ];
        _tensors = [("token_embd.weight", 0, [256, 4], Data(4096)), .. Types.Select((type, i) => ($"t{i}", type, new long[] { 256, 2 }, Data(SizeOf(type) * 2)))];
        System.IO.File.WriteAllBytes(Path.Combine(Folder, File), GgufBytes.File(_metadata, _tensors));
        Begin();
    }

    public override string Read()
    {
        string path = Path.Combine(Folder, File);
        string tensors = SourceReading.Read(path);
        using GgufSource source = GgufSource.Open(path);
        string shape = GgufHyperParameters.Read(source).ToString();
        string tokens = GgufVocabulary.IsIn(source.Metadata) ? string.Join(' ', GgufVocabulary.Read(source.Metadata, rowCount: 0).Encode("aba")) : "";
        return string.Create(CultureInfo.InvariantCulture, $"{tensors}{shape} {tokens}");
    }

    public override Mutant Mutate(Dice dice)
    {
        byte[] bytes = dice.Chance(0.2) ? Good(File) : Forge(dice);
        if (dice.Chance(0.3)) bytes = ByteMutations.Change(bytes, dice);
        return new Mutant([(File, bytes)], IsCovered: false);
    }

    private byte[] Forge(Dice dice)
    {
        List<(string Key, byte[] Value)> metadata = [.. _metadata];
        List<(string Name, uint Type, long[] Dimensions, byte[] Data)> tensors = [.. _tensors];
        for (int changes = 1 + dice.Next(3); changes > 0; changes--)
        {
            if (dice.Chance(0.5)) ChangeMetadata(metadata, dice);
            else ChangeTensors(tensors, dice);
        }

        uint version = dice.Chance(0.95) ? 3 : dice.Pick<uint>([0, 1, 2, 4, 0x03000000, 0xFFFFFFFF]);
        return GgufBytes.File(metadata, tensors, version, dice.Chance(0.9) ? 32 : dice.Pick([8, 24, 64, 4096]));
    }

    private static void ChangeMetadata(List<(string Key, byte[] Value)> metadata, Dice dice)
    {
        int at = dice.Next(metadata.Count);
        string key = dice.Chance(0.7) ? metadata[at].Key : dice.Pick(Texts);
        switch (dice.Next(5))
        {
            case 0: metadata.RemoveAt(at); break;
            case 1: metadata.Insert(at, (key, Value(dice))); break;
            case 2: metadata[at] = (key, ByteMutations.Change(metadata[at].Value, dice)); break;
            default: metadata[at] = (key, Value(dice)); break;
        }

        if (metadata.Count == 0) metadata.Add(("x", UInt32(0)));
    }

    private static byte[] Value(Dice dice) => dice.Next(9) switch
    {
        0 => Text(dice.Pick(Texts)),
        1 => UInt32((uint)dice.Number()),
        2 => UInt64(dice.Number()),
        3 => Float32(BitConverter.UInt32BitsToSingle((uint)dice.Number())),
        4 => GgufBytes.Texts([.. Enumerable.Range(0, dice.Next(dice.Pick([3, 3000]))).Select(_ => dice.Pick(Texts))]),
        5 => Ints([.. Enumerable.Range(0, dice.Next(dice.Pick([3, 3000]))).Select(_ => (int)dice.Number())]),
        6 => Array((uint)dice.Next(14), (long)dice.Number(), dice.Bytes(dice.Next(100))),
        7 => [.. Number((uint)dice.Next(14)), .. dice.Bytes(dice.Next(20))],
        _ => Array(9, 1 << dice.Next(20), dice.Bytes(dice.Next(100))),
    };

    private static void ChangeTensors(List<(string Name, uint Type, long[] Dimensions, byte[] Data)> tensors, Dice dice)
    {
        int at = dice.Next(tensors.Count);
        (string name, uint type, long[] dimensions, byte[] data) = tensors[at];
        switch (dice.Next(6))
        {
            case 0: tensors.Insert(at, tensors[at]); break;
            case 1: tensors[at] = (dice.Pick(Texts), type, dimensions, data); break;
            case 2: tensors[at] = (name, dice.Chance(0.5) ? dice.Pick(Types) : (uint)dice.Number(), dimensions, data); break;
            case 3: tensors[at] = (name, type, dimensions, data[..dice.Next(data.Length + 1)]); break;
            case 4: tensors[at] = (name, type, [.. Enumerable.Range(0, dice.Next(6)).Select(_ => dice.Chance(0.5) ? 1 + dice.Next(4) : (long)dice.Number())], data); break;
            default:
                long[] changed = [.. dimensions];
                if (changed.Length > 0) changed[dice.Next(changed.Length)] = dice.Chance(0.5) ? 256 * dice.Next(5) : (long)dice.Number();
                tensors[at] = (name, type, changed, data);
                break;
        }
    }

    private static int SizeOf(uint type) => GgmlFormat.Of((GgmlType)type) is { } format ? 256 / format.BlockLength * format.BlockSize : 0;

    private static byte[] Data(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(5 * i))];
}
