using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Tests.Exporting;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class NpzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string File1 => _folder.File("a.npz");

    [Theory]
    [InlineData("savez")]
    [InlineData("savez_compressed")]
    public void What_NumPy_wrote_is_read(string function)
    {
        NumPy.Run(
            """
            import sys, numpy as n
            getattr(n, sys.argv[2])(sys.argv[1], **{
                'blocks/0/w': n.arange(6, dtype='f4').reshape(2, 3) / 4, 'half': n.array([0.5, -2], 'f2'), 'double': n.array(0.1),
                'big': n.zeros((300, 300), 'f4'), 'long': n.array([1 << 40]), 'flag': n.array([True]), 'byte': n.array([7], '>u1')})
            """,
            File1,
            function);
        using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
        Assert.Equal(["big", "blocks/0/w", "byte", "double", "flag", "half", "long"], source.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (StoredTensor tensor in source.Tensors) tensor.Verify();
        Assert.Equal([0f, 0.25f, 0.5f, 0.75f, 1f, 1.25f], source.Tensor("blocks/0/w").GetFloats().ToArray());
        Assert.Equal("[2, 3]", source.Tensor("blocks/0/w").Shape.ToString());
        Assert.Equal([0.5f, -2f], source.Tensor("half").GetFloats().ToArray());
        Assert.Equal([0.1f], source.Tensor("double").GetFloats().ToArray());
        Assert.Equal(new float[90000], source.Tensor("big").GetFloats().ToArray());
        Assert.Equal(BitConverter.GetBytes(1L << 40), source.Tensor("long").GetBytes().ToArray());
        Assert.Equal(TensorDType.Bool, source.Tensor("flag").DType);
    }

    [Fact]
    public void An_array_of_another_kind_is_refused_by_name()
    {
        (string Array, string Part)[] cases =
        [
            ("n.asfortranarray(n.zeros((2, 3), 'f4'))", "Fortran order"), ("n.zeros(2, '>f4')", "'>f4'"), ("n.array(['text'])", "'<U4'"),
            ("n.zeros(2, [('a', 'f4')])", "not that of a plain array"), ("n.array([{}])", "'|O'"), ("n.zeros(2, 'c8')", "'<c8'"),
        ];
        string script = string.Join('\n', cases.Select((c, i) => $"n.savez(sys.argv[1] + '/{i}', x={c.Array})"));
        NumPy.Run("import sys, numpy as n\n" + script, _folder.Path);
        for (int i = 0; i < cases.Length; i++)
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => MappedSource.Open(_folder.File($"{i}.npz"), Npz.ListTensors));
            Assert.Contains("'x'", fault.Message, StringComparison.Ordinal);
            Assert.Contains(cases[i].Part, fault.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "8 bytes for [3]")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "dimension")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "counted")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "plain array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os').system('true'), }", "plain array")]
    [InlineData("{'descr': '<f4', 'shape': (2,), }", "plain array")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", "'x' is in Fortran order")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "'x' is of the type '>f4'")]
    [InlineData("{'descr': '=f4', 'fortran_order': False, 'shape': (2,), }", "'x' is of the type '=f4'")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "'x' is of the type '<c8'")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "'x' is of the type '|O'")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "plain array")]
    [InlineData("", "plain array")]
    public void A_header_that_says_something_else_is_refused(string dictionary, string part)
    {
        WriteArchive(("x.npy", Npy(dictionary, new byte[8])));
        AssertRefused(part);
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "[2]")]
    [InlineData("{'descr': '>u1', 'fortran_order': False, 'shape': (2, 4), }", "[2, 4]")]
    public void An_order_that_changes_nothing_is_read(string dictionary, string shape)
    {
        byte[] data = [1, 2, 3, 4, 5, 6, 7, 8];
        WriteArchive(("x.npy", Npy(dictionary, data)));
        using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
        Assert.Equal(shape, source.Tensors[0].Shape.ToString());
        Assert.Equal(data, source.Tensors[0].GetBytes().ToArray());
    }

    [Fact]
    public void An_encrypted_array_is_refused()
    {
        WriteArchive(("x.npy", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new byte[8])));
        byte[] file = File.ReadAllBytes(File1);
        file[file.AsSpan().LastIndexOf("PK\u0001\u0002"u8) + 8] |= 1;
        File.WriteAllBytes(File1, file);
        AssertRefused("'x.npy' is encrypted");
    }

    [Fact]
    public void A_header_longer_than_its_file_is_refused()
    {
        byte[] npy = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new byte[8]);
        npy[9] = 0xFF;
        WriteArchive(("x.npy", npy));
        AssertRefused("declares a header");
    }

    [Fact]
    public void Other_files_of_the_archive_are_left_alone()
    {
        WriteArchive(("readme.txt", [1, 2]), ("x.npy", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new byte[8])));
        using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
        Assert.Equal("x", Assert.Single(source.Tensors).Name);
    }

    [Fact]
    public void A_name_that_is_there_twice_is_refused()
    {
        byte[] npy = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new byte[8]);
        WriteArchive(("x.npy", npy), ("x.npy", npy));
        Assert.Contains("'x' twice", Assert.Throws<Gpt2Exception>(() => MappedSource.Open(File1, Npz.ListTensors)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void A_changed_element_is_found_by_the_checksum(CompressionLevel level)
    {
        byte[] data = new byte[4000];
        new Random(3).NextBytes(data);
        WriteArchive(level, ("x.npy", Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4000,), }", data)));
        byte[] file = File.ReadAllBytes(File1);
        file[file.Length / 2] ^= 1;
        File.WriteAllBytes(File1, file);
        using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() =>
        {
            source.Tensors[0].Verify();
            source.Tensors[0].GetBytes();
        });
        Assert.Equal(Gpt2Error.ChecksumMismatch, fault.Error);
        Assert.Contains("'x'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_file_does_not_make_a_large_array()
    {
        WriteArchive(CompressionLevel.Optimal, ("x.npy", Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (100,), }", new byte[100])));
        byte[] file = File.ReadAllBytes(File1);
        int central = file.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BitConverter.TryWriteBytes(file.AsSpan(central + 24), 2_000_000_000u);
        File.WriteAllBytes(File1, file);
        AssertRefused("cannot have");
        BitConverter.TryWriteBytes(file.AsSpan(central + 20), 10u);
        BitConverter.TryWriteBytes(file.AsSpan(central + 24), 200_000_000u);
        File.WriteAllBytes(File1, file);
        AssertRefused("cannot have");
    }

    [Fact]
    public void Every_file_cut_short_is_refused()
    {
        WriteArchive(("x.npy", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new byte[8])));
        byte[] whole = File.ReadAllBytes(File1);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(File1, whole[..length]);
            Assert.Equal(Gpt2Error.NotAFormat, Assert.Throws<Gpt2Exception>(() => MappedSource.Open(File1, Npz.ListTensors)).Error);
        }
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Random_damage_never_ends_in_anything_but_a_sentence(CompressionLevel level)
    {
        WriteArchive(level, ("x.npy", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (20,), }", new byte[80])), ("y.npy", [1]));
        byte[] whole = File.ReadAllBytes(File1);
        var random = new Random(6);
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = [.. whole];
            for (int i = 0; i < 2; i++) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(File1, damaged);
            try
            {
                using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
                foreach (StoredTensor tensor in source.Tensors)
                {
                    tensor.Verify();
                    tensor.GetBytes();
                }
            }
            catch (Gpt2Exception)
            {
            }
        }
    }

    [Fact]
    public void Elements_that_are_written_lie_at_multiples_of_64_bytes()
    {
        using (var writer = new NpzWriter(File1))
        {
            writer.Add("a", TensorDType.UInt8, new TensorShape(3), [1, 2, 3]);
            writer.Add("a/longer/name", TensorDType.Float32, new TensorShape(1, 2), MemoryMarshal.AsBytes<float>([1f, 2f]));
            writer.Finish();
        }

        using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
        Assert.False(MemoryMarshal.TryGetArray(source.Tensor("a/longer/name").GetFloats(), out _));
        Assert.Equal([1f, 2f], source.Tensor("a/longer/name").GetFloats().ToArray());
        byte[] file = File.ReadAllBytes(File1);
        Assert.Equal(0, file.AsSpan().IndexOf((byte[])[0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]) % 64);
        using ZipArchive archive = ZipFile.OpenRead(File1);
        Assert.Equal(["a.npy", "a/longer/name.npy"], archive.Entries.Select(e => e.FullName));
    }

    [Fact]
    public void An_archive_beyond_4_GiB_has_64_bit_offsets()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the file would not be sparse");
        byte[] npy = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", MemoryMarshal.AsBytes<float>([3f, 4f]).ToArray());
        WriteArchive(CompressionLevel.NoCompression, ("x.npy", npy));
        byte[] small = File.ReadAllBytes(File1);
        int central = small.AsSpan().IndexOf("PK\u0001\u0002"u8);
        const long Shift = 5L << 30;
        byte[] header = [.. small[central..(central + 46 + 5)], 1, 0, 8, 0, .. BitConverter.GetBytes(Shift)];
        BitConverter.TryWriteBytes(header.AsSpan(30), (ushort)12);
        BitConverter.TryWriteBytes(header.AsSpan(42), uint.MaxValue);
        using (FileStream file = File.Create(File1))
        {
            file.Position = Shift;
            file.Write(small.AsSpan(0, central));
            long start = file.Position;
            file.Write(header);
            long end = file.Position;
            file.Write([.. "PK\u0006\u0006"u8, .. BitConverter.GetBytes(44L), 45, 0, 45, 0, .. new byte[8], .. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(1L),
                .. BitConverter.GetBytes((long)header.Length), .. BitConverter.GetBytes(start)]);
            file.Write([.. "PK\u0006\u0007"u8, .. new byte[4], .. BitConverter.GetBytes(end), 1, 0, 0, 0]);
            file.Write([.. "PK\u0005\u0006"u8, .. new byte[4], .. Enumerable.Repeat((byte)255, 12), 0, 0]);
        }

        using MappedSource source = MappedSource.Open(File1, Npz.ListTensors);
        source.Tensors[0].Verify();
        Assert.Equal([3f, 4f], source.Tensors[0].GetFloats().ToArray());
    }

    [Fact]
    public void Many_arrays_over_one_header_are_refused()
    {
        byte[] npy = Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (60000,), }", new byte[60_000]);
        WriteArchive(("a.npy", npy));
        byte[] archive = File.ReadAllBytes(File1);
        int end = archive.Length - 22, start = BitConverter.ToInt32(archive, end + 16), entry = end - start, count = 50_000;
        byte[] many = [.. archive[..start], .. Enumerable.Repeat(archive[start..end], count).SelectMany(bytes => bytes), .. archive[end..]];
        BitConverter.TryWriteBytes(many.AsSpan(many.Length - 22 + 8), (ushort)count);
        BitConverter.TryWriteBytes(many.AsSpan(many.Length - 22 + 10), (ushort)count);
        BitConverter.TryWriteBytes(many.AsSpan(many.Length - 22 + 12), count * entry);
        File.WriteAllBytes(File1, many);
        Assert.Contains("lie over each other", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_that_become_much_when_they_are_decompressed_are_refused_before_they_do()
    {
        string padded = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }".PadRight(65_000);
        byte[] npy = Npy(padded, [1]);
        WriteArchive(CompressionLevel.Optimal, [.. Enumerable.Range(0, 2_000).Select(i => ($"{i}.npy", npy))]);
        Assert.InRange(new FileInfo(File1).Length, 1, 1_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("more room than the whole file", Refusal(), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16_000_000); // of 130 million
    }

    [Fact]
    public void More_dimensions_than_any_array_has_are_refused()
    {
        WriteArchive(("a.npy", Npy($"{{'descr': '|u1', 'fortran_order': False, 'shape': ({string.Concat(Enumerable.Repeat("1,", 300))}), }}", [1])));
        Assert.Contains("more than 254 dimensions", Refusal(), StringComparison.Ordinal);
    }

    private string Refusal() => Assert.Throws<Gpt2Exception>(() => MappedSource.Open(File1, Npz.ListTensors).Dispose()).Message;

    private static byte[] Npy(string dictionary, byte[] data)
    {
        byte[] text = Encoding.ASCII.GetBytes(dictionary + "\n");
        return [0x93, .. "NUMPY\u0001\0"u8, .. BitConverter.GetBytes((ushort)text.Length), .. text, .. data];
    }

    private void WriteArchive(params (string Name, byte[] Bytes)[] files) => WriteArchive(CompressionLevel.NoCompression, files);

    private void WriteArchive(CompressionLevel level, params (string Name, byte[] Bytes)[] files)
    {
        File.Delete(File1);
        using ZipArchive archive = ZipFile.Open(File1, ZipArchiveMode.Create);
        foreach ((string name, byte[] bytes) in files)
        {
            using Stream stream = archive.CreateEntry(name, level).Open();
            stream.Write(bytes);
        }
    }

    private void AssertRefused(string part) =>
        Assert.Contains(part, Assert.Throws<Gpt2Exception>(() => MappedSource.Open(File1, Npz.ListTensors)).Message, StringComparison.Ordinal);
}
