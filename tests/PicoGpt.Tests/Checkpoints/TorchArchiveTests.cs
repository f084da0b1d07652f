using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.PyTorch;
using PicoGpt.Tests.Exporting;
using Xunit;
using static PicoGpt.Fuzz.TorchBytes;

namespace PicoGpt.Tests.Checkpoints;

public sealed class TorchArchiveTests : IDisposable
{
    private static readonly byte[] Six = MemoryMarshal.AsBytes<float>([0, 1, 2, 3, 4, 5]).ToArray();

    private static readonly Dictionary<string, string> AllBombs = new()
    {
        { "marks", Repeat("(") },
        { "marks and a tuple", Repeat("N(") + "t" },
        { "tuples in tuples", "N" + Repeat("\x85") },
        { "lists", Repeat("]") },
        { "lists of one", Repeat("]Na") },
        { "dictionaries of one", Repeat("}NNs") },
        { "a list in itself", "]q\0" + Repeat("h\0h\0a") },
        { "a list in itself, in many", "]q\0(" + Repeat("h\0") + "e" },
        { "one tuple as argument of itself", ")q\0" + Repeat("(h\0h\0tq\0") },
        { "memo entries", "N" + Repeat("\x94") },
        { "long memo entries", "N" + string.Concat(Enumerable.Range(0, 100_000).Select(i => "r" + Latin1(i * 30_000))) },
        { "numbers", Repeat("\x8a\x01\x7f") },
        { "texts", Repeat("\x8c\0") },
        { "a text", Text(new string('x', 1_000_000)) },
        { "a name of control characters", "}" + Text(new string('\x1b', 1_000_000)) + "Ns" },
        { "a text of all there is", "}X\xff\xff\xff\xff" },
        { "globals", Repeat(Global("torch", "FloatStorage")) },
        { "dictionaries called for", Global("collections", "OrderedDict") + "q\0" + Repeat("h\0)R") },
        { "one tensor often", Tensor("FloatStorage", "0", 6, [6]) + "q\0}(" + Repeat("\x8c\u0001ah\0", 100_000) + "u" },
        { "tensors", TensorParts + "}(" + Repeat("]h\0h\x01R", 50_000) + "u" },
        { "named tensors", TensorParts + "}(" + string.Concat(Enumerable.Range(0, 50_000).Select(i => Text($"{i}") + "h\0h\x01R")) + "u" },
        { "dimensions", Tensor("FloatStorage", "0", 6, [.. Enumerable.Repeat(1L, 100_000)], strides: []) },
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_are_views_of_their_storages()
    {
        using MappedSource source = Open(
            Archive(
                StateDictionary(
                    ("whole", Tensor("FloatStorage", "0", 6, [2, 3])),
                    ("part", Tensor("FloatStorage", "0", 6, [1, 2], offset: 3, strides: [77, 1])),
                    ("scalar", Tensor("HalfStorage", "1", 1, [])),
                    ("empty", Tensor("LongStorage", "2", 0, [0, 5])),
                    ("mask", Tensor("BoolStorage", "3", 1, [1, 1])),
                    ("parameter", Parameter(Tensor("FloatStorage", "0", 6, [6])))),
                ("0", Six), ("1", BitConverter.GetBytes((Half)0.5)), ("2", []), ("3", [1])));
        Assert.Equal(["whole", "part", "scalar", "empty", "mask", "parameter"], source.Tensors.Select(t => t.Name));
        Assert.Equal(["[2, 3]", "[1, 2]", "[]", "[0, 5]", "[1, 1]", "[6]"], source.Tensors.Select(t => t.Shape.ToString()));
        foreach (StoredTensor tensor in source.Tensors) tensor.Verify();
        Assert.Equal([0f, 1f, 2f, 3f, 4f, 5f], source.Tensor("whole").GetFloats().ToArray());
        Assert.Equal([3f, 4f], source.Tensor("part").GetFloats().ToArray());
        Assert.Equal([0.5f], source.Tensor("scalar").GetFloats().ToArray());
        Assert.Equal(TensorDType.Bool, source.Tensor("mask").DType);
    }

    [Fact]
    public void What_Python_s_own_pickle_writes_is_read()
    {
        NumPy.Run(
            """
            import collections, io, pickle, struct, sys, types, zipfile
            torch, utils = types.ModuleType('torch'), types.ModuleType('torch._utils')
            class FloatStorage: pass
            FloatStorage.__module__ = 'torch'; torch.FloatStorage = FloatStorage
            def _rebuild_tensor_v2(*a): pass
            _rebuild_tensor_v2.__module__ = 'torch._utils'; utils._rebuild_tensor_v2 = _rebuild_tensor_v2
            sys.modules.update({'torch': torch, 'torch._utils': utils})
            class Storage: pass
            class Tensor:
                def __init__(self, n): self.n = n
                def __reduce__(self):
                    return _rebuild_tensor_v2, (Storage(), 0, (300, self.n), (self.n, 1), False, collections.OrderedDict())
            class Pickler(pickle.Pickler):
                def persistent_id(self, o):
                    return ('storage', FloatStorage, '0', 'cpu', 60000) if isinstance(o, Storage) else None
            for protocol in (2, 3, 4, 5):
                state = collections.OrderedDict((f'layer.{i}.weight', Tensor(200)) for i in range(300))
                state._metadata = collections.OrderedDict([('', {'version': 1})])
                text = io.BytesIO()
                Pickler(text, protocol).dump(state)
                with zipfile.ZipFile(f'{sys.argv[1]}/{protocol}.pt', 'w') as z:
                    z.writestr('m/data.pkl', text.getvalue())
                    z.writestr('m/data/0', struct.pack('<f', 1.5) * 60000)
            """,
            _folder.Path);
        foreach (int protocol in (int[])[2, 3, 4, 5])
        {
            using MappedSource source = MappedSource.Open(_folder.File($"{protocol}.pt"), TorchArchive.ListTensors);
            Assert.Equal(300, source.Tensors.Count);
            Assert.Equal("[300, 200]", source.Tensor("layer.299.weight").Shape.ToString());
            Assert.Equal(1.5f, source.Tensor("layer.299.weight").GetFloats().Span[59999]);
        }
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("subprocess", "check_call")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "exec")]
    public void What_asks_for_a_program_is_refused_wherever_it_stands_and_not_run(string module, string name)
    {
        string marker = _folder.File("was-run");
        byte[] pickle = Pickle(Global(module, name), "(", Text($"touch {marker}"), "tR");
        AssertRefused(pickle, Gpt2Error.Unsupported, $"nothing in it was run: it asks for '{module}.{name}', which no checkpoint needs; do not open it in Python");
        byte[] beside = Pickle(
            "}(", Text("model"), "}", Text("x"), Tensor("FloatStorage", "0", 6, [6]), "s", Text("args"), Global(module, name), "(", Text($"touch {marker}"), "tRu");
        AssertRefused(beside, Gpt2Error.Unsupported, $"'{module}.{name}'");
        Assert.False(File.Exists(marker));
    }

    [Theory]
    [InlineData("torch", "FloatTensor")]
    [InlineData("FloatStorage", "torch")]
    [InlineData("torch", "load")]
    [InlineData("collections", "defaultdict")]
    public void What_is_anything_else_in_place_of_the_weights_is_refused_and_not_made(string module, string name)
    {
        string marker = _folder.File("was-run");
        byte[] pickle = Pickle(Global(module, name), "(", Text($"touch {marker}"), "tR");
        AssertRefused(pickle, Gpt2Error.Unsupported, $"nothing in it was run: it holds a whole '{module}.{name}' in place of a dictionary of tensors");
        byte[] ofStack = Pickle(Text(module), Text(name), "\x93(", Text($"touch {marker}"), "tR");
        AssertRefused(ofStack, Gpt2Error.Unsupported, $"'{module}.{name}'");
        Assert.False(File.Exists(marker));
    }

    [Fact]
    public void What_a_refused_pickle_asks_for_is_shown_harmlessly()
    {
        byte[] pickle = Pickle(Global("o\x1b[2J\xe2\x80\xaes", new string('x', 100_000)), "(tR");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Open(Archive(pickle)));
        Assert.Contains("'o\\u001b[2J\\u202es.xxx", fault.Message, StringComparison.Ordinal);
        Assert.True(fault.Message.Length < 1000);
    }

    [Theory]
    [InlineData("i", "0x69")] // INST
    [InlineData("o", "0x6f")] // OBJ
    [InlineData("P", "0x50")] // PERSID
    [InlineData("\x82", "0x82")] // EXT1
    [InlineData("\x97", "0x97")] // NEXT_BUFFER
    [InlineData("\xff", "0xff")]
    public void Any_other_opcode_is_refused(string opcode, string part) => AssertRefused(Pickle("N", opcode), Gpt2Error.Unsupported, part);

    [Fact]
    public void What_is_no_dictionary_of_tensors_is_refused()
    {
        AssertRefused(Pickle("N"), Gpt2Error.Unsupported, "no dictionary");
        AssertRefused(Pickle("}", Text("epoch"), Int(3), "s"), Gpt2Error.Unsupported, "no dictionary of tensors but a dictionary of 'epoch'");
        AssertRefused(Pickle("}", Text("model"), "}s"), Gpt2Error.Unsupported, "no dictionary of tensors but a dictionary of 'model'; if you trust");
        AssertRefused(Pickle("}"), Gpt2Error.Unsupported, "but an empty dictionary");
        AssertRefused(Pickle("}(", Text("x"), Tensor("FloatStorage", "0", 6, [6]), Text("epoch"), Int(3), "u"), Gpt2Error.Unsupported, "'epoch' is not a tensor");
        AssertRefused(Pickle("}(", Text("x"), Tensor("FloatStorage", "0", 6, [6]), Text("y"), "}u"), Gpt2Error.Unsupported, "'y' is a dictionary, not a tensor");
        AssertRefused(
            Pickle("}(", Text("x"), Tensor("FloatStorage", "0", 6, [6]), Text("y"), Global("numpy", "ndarray"), "(tRu"), Gpt2Error.Unsupported, "'y' is of 'numpy.ndarray', not a tensor");

        AssertRefused(Pickle("}", Int(1), Tensor("FloatStorage", "0", 6, [6]), "s"), Gpt2Error.Unsupported, "without a name");
        AssertRefused([0x80, 9], Gpt2Error.Unsupported, "protocol 9");
    }

    [Fact]
    public void A_pickle_that_makes_no_sense_is_refused()
    {
        string[] bad =
        [
            "", "t", "u", "0", "h\x05", "j" + "\xff\xff\xff\xff", "q\x01", "R", "NR", "NNR", "Q", "NQ", ")Q", "(NQ", "s", "}Ns", "NNNs", "]NNs", "NNa", "}(Nu", "e",
            "X\xff\xff\xff\xff", "X\x05\0\0\0ab", "ctorch\nFloat", "\x8a\xff", "\x8a\x09123456789", "(\x85", "\x86", "K", "J12", "\x95", "\x93", "(R",
            Global("collections", "OrderedDict") + "(NtR",
            Global("torch._utils", "_rebuild_tensor_v2") + ")R", Global("torch", "FloatStorage") + ")R",
        ];
        foreach (string text in bad)
        {
            byte[] pickle = Pickle(text);
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Open(Archive(pickle[..^1])));
            Assert.True(fault.Error is Gpt2Error.NotAFormat or Gpt2Error.Unsupported);
        }
    }

    [Fact]
    public void A_tensor_that_its_data_does_not_bear_is_refused()
    {
        AssertRefused(Tensor("FloatStorage", "1", 6, [6]), Gpt2Error.NotAFormat, "the data of tensor 'x' is missing");
        AssertRefused(Tensor("FloatStorage", "../data.pkl", 6, [6]), Gpt2Error.NotAFormat, "is missing");
        AssertRefused(Tensor("FloatStorage", "0", 7, [6]), Gpt2Error.NotAFormat, "should be 7 elements of float32, but has 24 bytes");
        AssertRefused(Tensor("DoubleStorage", "0", 6, [6]), Gpt2Error.NotAFormat, "should be 6 elements of float64");
        AssertRefused(Tensor("FloatStorage", "0", long.MaxValue, [6]), Gpt2Error.NotAFormat, "but has 24 bytes");
        AssertRefused(Tensor("FloatStorage", "0", -1, [0]), Gpt2Error.NotAFormat, "should be -1");
        AssertRefused(Tensor("FloatStorage", "0", 6, [7]), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [2], offset: 5), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [0], offset: 7), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [1], offset: -1), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [1], offset: long.MaxValue), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [1L << 40, 1L << 40], strides: [1, 1]), Gpt2Error.NotAFormat, "make no sense");
        AssertRefused(Tensor("FloatStorage", "0", 6, [-1]), Gpt2Error.NotAFormat, "a dimension or a stride is not a whole number from 0 on");
        AssertRefused(Tensor("FloatStorage", "0", 6, [6], strides: []), Gpt2Error.NotAFormat, "make no sense");
        AssertRefused(Tensor("FloatStorage", "0", 6, [.. Enumerable.Repeat(1L, 65)]), Gpt2Error.NotAFormat, "65 dimensions");
        AssertRefused(Tensor("FloatStorage", "0", 6, [2, 3], strides: [1, 3]), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [2, 3], strides: [long.MaxValue, 1]), Gpt2Error.NotAFormat, "reaches beyond");
        AssertRefused(Tensor("FloatStorage", "0", 6, [2, 3], strides: [3, -1]), Gpt2Error.NotAFormat, "a dimension or a stride is not a whole number from 0 on");
        AssertRefused(Tensor("FloatStorage", "0", 6, [1L << 40], strides: [0]), Gpt2Error.Unsupported, "repeats its data to more elements than the file has bytes");
        AssertRefused(Tensor("QInt8Storage", "0", 24, [24]), Gpt2Error.Unsupported, "a dictionary of 'x'");
        AssertRefused(Tensor("FloatStorage", "0", 6, [6])[..^2] + "}" + Text("neg") + "\x88stR", Gpt2Error.Unsupported, "such as a negated view");
    }

    public static TheoryData<string> Bombs => [.. AllBombs.Keys];

    private static string TensorParts => Tensor("FloatStorage", "0", 6, [1, 1, 1, 1, 1, 1, 1, 1])
        .Replace("_v2\n(", "_v2\nq\0(", StringComparison.Ordinal)[..^1] + "q\x01" + "R";

    [Theory]
    [MemberData(nameof(Bombs))]
    public void A_pickle_gets_no_more_memory_than_a_few_times_its_own(string what)
    {
        byte[] archive = Archive(Pickle(AllBombs[what]), ("0", Six));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? fault = Record.Exception(() => Open(archive).Dispose());
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(fault is null or Gpt2Exception, $"{what}: {fault}");
        Assert.True(bytes < 64 * 1024 * 1024, $"{what}: {bytes:N0} bytes");
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {bytes:N0} bytes; {fault?.Message}");
    }

    [Fact]
    public void Changed_data_is_found_by_the_checksum()
    {
        byte[] archive = Archive(
            StateDictionary(("x", Tensor("FloatStorage", "0", 6, [6])), ("y", Tensor("FloatStorage", "0", 6, [1]))), ("0", Six));
        archive[archive.AsSpan().IndexOf(Six) + 5] ^= 1;
        using MappedSource source = Open(archive);
        foreach (StoredTensor view in source.Tensors)
            Assert.Equal(Gpt2Error.ChecksumMismatch, Assert.Throws<Gpt2Exception>(() => view.Verify()).Error);
    }

    [Fact]
    public void A_changed_pickle_is_found_by_the_checksum()
    {
        byte[] archive = Archive(StateDictionary(("some.name", Tensor("FloatStorage", "0", 6, [6]))), ("0", Six));
        archive[archive.AsSpan().IndexOf("some.name"u8)] = (byte)'t'; // which would be read without a word
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Open(archive));
        Assert.Contains("the CRC-32 of 'archive/data.pkl' should be", fault.Message, StringComparison.Ordinal);
        using MappedSource source = Open(WithoutChecksums(archive));
        Assert.Equal("tome.name", Assert.Single(source.Tensors).Name);
    }

    [Fact]
    public void Random_damage_never_ends_in_anything_but_a_sentence()
    {
        byte[] pickle = StateDictionary(("x", Tensor("FloatStorage", "0", 6, [2, 3])), ("y", Tensor("FloatStorage", "0", 6, [6])));
        var random = new Random(7);
        for (int round = 0; round < 500; round++)
        {
            byte[] damaged = [.. pickle];
            for (int i = 0; i < 2; i++) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                using MappedSource source = Open(Archive(damaged, ("0", Six)));
                foreach (StoredTensor tensor in source.Tensors) tensor.GetBytes();
            }
            catch (Gpt2Exception)
            {
            }
        }
    }

    private static string Repeat(string opcodes) => Repeat(opcodes, 1_000_000 / opcodes.Length);

    private static string Repeat(string opcodes, int count) => string.Concat(Enumerable.Repeat(opcodes, count));

    private static string Latin1(int number) => System.Text.Encoding.Latin1.GetString(BitConverter.GetBytes(number));

    private MappedSource Open(byte[] archive)
    {
        File.WriteAllBytes(_folder.File("a.bin"), archive);
        return MappedSource.Open(_folder.File("a.bin"), TorchArchive.ListTensors);
    }

    private void AssertRefused(string tensor, Gpt2Error error, string part) => AssertRefused(StateDictionary(("x", tensor)), error, part);

    private void AssertRefused(byte[] pickle, Gpt2Error error, string part)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Open(Archive(pickle, ("0", Six))));
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        Assert.Equal(error, fault.Error);
    }
}
