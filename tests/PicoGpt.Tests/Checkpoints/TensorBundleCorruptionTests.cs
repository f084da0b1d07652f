using System.Buffers.Binary;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

/// <summary>Whatever a file holds, the answer is the right listing or a <see cref="Gpt2Exception"/>.</summary>
public sealed class TensorBundleCorruptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Prefix => _folder.File("m");

    private string IndexPath => _folder.File("m.index");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_flipped_byte_of_an_index_leaves_the_right_listing_or_a_refusal(bool compress)
    {
        WriteSmall(compress);
        byte[] good = File.ReadAllBytes(IndexPath);
        string expected = List();
        for (int i = 0; i < good.Length; i++)
        {
            foreach (byte mask in new byte[] { 0x01, 0x10, 0x80, 0xff })
            {
                byte[] bad = [.. good];
                bad[i] ^= mask;
                File.WriteAllBytes(IndexPath, bad);
                if (ListOrRefuse() is string listing)
                    Assert.Equal(expected, listing);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_flipped_byte_under_a_right_checksum_is_read_or_refused(bool compress)
    {
        WriteSmall(compress);
        byte[] good = File.ReadAllBytes(IndexPath);
        int refused = 0;
        foreach (BlockHandle block in Blocks(good))
        {
            for (int i = 0; i <= (int)block.Size; i++)
            {
                foreach (byte mask in new byte[] { 0x01, 0x08, 0x40, 0x80, 0xff })
                {
                    byte[] bad = [.. good];
                    bad[(int)block.Offset + i] ^= mask;
                    Seal(bad, block);
                    File.WriteAllBytes(IndexPath, bad);
                    if (ReadEverythingOrRefuse() is not null)
                        refused++;
                }
            }
        }

        Assert.True(refused > 100, "the changes should mostly be noticed");
    }

    [Fact]
    public void Every_truncation_of_an_index_is_refused()
    {
        WriteSmall(compress: false);
        byte[] good = File.ReadAllBytes(IndexPath);
        for (int length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(IndexPath, good.AsSpan(0, length));
            Assert.Null(ListOrRefuse());
        }
    }

    [Fact]
    public void Every_truncation_of_a_data_file_is_noticed_before_reading()
    {
        WriteSmall(compress: false);
        string dataPath = _folder.File("m.data-00000-of-00001");
        byte[] good = File.ReadAllBytes(dataPath);
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        for (int length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(dataPath, good.AsSpan(0, length));
            Assert.Equal(Gpt2Error.Truncated, Assert.Throws<Gpt2Exception>(() => bundle.EnsureComplete()).Error);
        }
    }

    [Fact]
    public void Every_flipped_byte_of_a_data_file_is_noticed_by_exactly_its_tensor()
    {
        WriteSmall(compress: false);
        string dataPath = _folder.File("m.data-00000-of-00001");
        byte[] good = File.ReadAllBytes(dataPath);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0x20;
            File.WriteAllBytes(dataPath, bad);
            using TensorBundle bundle = TensorBundle.Open(Prefix);
            TensorCheck[] checks = [.. bundle.CheckAll()];
            TensorCheck failed = Assert.Single(checks, check => !check.IsValid);
            Assert.Equal(bundle.Entries.Select(e => e.Name), checks.Select(c => c.Entry.Name));
            Assert.Contains($"'{failed.Entry.Name}", failed.Error!.Message, StringComparison.Ordinal);
            if (!failed.Entry.IsPartitioned)
                Assert.InRange(i, failed.Entry.Offset, failed.Entry.Offset + failed.Entry.Size - 1);
        }
    }

    [Fact]
    public void First_bad_tensor_by_name_is_reported_with_both_checksums()
    {
        using (var writer = new TensorBundleWriter(Prefix))
        {
            writer.AddFloats("z", new TensorShape(1), [1]);
            writer.AddFloats("a", new TensorShape(1), [2]);
            writer.Finish();
        }

        File.WriteAllBytes(_folder.File("m.data-00000-of-00001"), new byte[8]);
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => bundle.VerifyAll());
        Assert.Equal(Gpt2Error.ChecksumMismatch, fault.Error);
        Assert.Contains("Tensor 'a' in", fault.Message, StringComparison.Ordinal);
        Assert.Contains("m.data-00000-of-00001", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{bundle.GetEntry("a").Crc32C:x8}", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{Crc32C.Compute(new byte[4]):x8}", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", Gpt2Error.Corrupt, "0 data files")] // no num_shards
    [InlineData("08FFFFFFFF0F", Gpt2Error.Corrupt, "4294967295 data files")]
    [InlineData("08011001", Gpt2Error.Unsupported, "big-endian")]
    [InlineData("08011A021002", Gpt2Error.Unsupported, "version 2")]
    [InlineData("0801FF", Gpt2Error.Corrupt, "cut off")]
    [InlineData("08012D01", Gpt2Error.Corrupt, "cut off")]
    [InlineData("080123", Gpt2Error.Corrupt, "wire type 3")]
    public void Bad_headers_are_refused(string header, Gpt2Error kind, string words)
    {
        WriteTable(([], Convert.FromHexString(header)));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix));
        Assert.Equal(kind, fault.Error);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "element type is 0")]
    [InlineData("0801120028FFFFFFFFFFFFFFFFFF01", "-1 bytes at 0")]
    [InlineData("08011200 1801 2804", "data file 1 of 1")]
    [InlineData("08011200 18FFFFFFFFFFFFFFFFFF01 2804", "data file -1 of 1")]
    [InlineData("08011200 20FFFFFFFFFFFFFFFFFF01 2804", "4 bytes at -1")]
    [InlineData("08011200 20FFFFFFFFFFFFFFFF7F 2804", "4 bytes at 9223372036854775807")]
    [InlineData("080112002805", "takes 4 bytes, but the index says 5")]
    [InlineData("0801 120D 120B 08FFFFFFFFFFFFFFFFFF01 2804", "[-1] is impossible")]
    [InlineData("0801 1216 1209 088080808080808001 1209 088080808080808001 2804", "is impossible")]
    [InlineData("0801 12021801 2804", "shape is unknown")]
    [InlineData("0901000000000000001200 2804", "wire type 1 instead of 0")]
    [InlineData("08011200 2804 3A060A0408001001", "does not lie within")]
    [InlineData("0801 12041202 0802 2804 3A060A0408001002", "slice 0,2 of tensor 'some/w' has no entry")]
    [InlineData("0801 12041202 0802 3A060A0408001001", "have 1 elements of its 2")]
    [InlineData("0801 12041202 0804 3A060A0408001002 3A060A0408011002", "slices 0,2 and 1,2 of tensor 'some/w' overlap")]
    public void Bad_entries_are_refused_by_name(string entry, string words)
    {
        byte[] value = Convert.FromHexString(entry.Replace(" ", "", StringComparison.Ordinal));
        WriteTable(([], [8, 1]), ("some/w"u8.ToArray(), value));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix));
        Assert.Equal(Gpt2Error.Corrupt, fault.Error);
        Assert.Contains("'some/w'", fault.Message, StringComparison.Ordinal);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_slice_that_has_slices_itself_is_refused()
    {
        byte[] name = "w"u8.ToArray(), value = Convert.FromHexString("0801" + "120412020801" + "3A060A0408001001"); // float32 [1] of one slice
        WriteTable(([], [8, 1]), (OrderedCode.SliceKey(name, new TensorSlice(new TensorExtent(0, 1))), value), (name, value));
        Assert.Contains("slice 0,1 of tensor 'w' has slices itself", Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_continues_the_one_before_it_where_a_restart_is_told_is_refused()
    {
        byte[] value = Convert.FromHexString("08011200" + "2804");
        using (FileStream file = File.Create(IndexPath))
        {
            var table = new SortedTableWriter(file, new TensorBundleWriterOptions { RestartInterval = 1 });
            table.Add([], [8, 1]);
            table.Add("ka"u8.ToArray(), value);
            table.Finish();
        }

        byte[] index = File.ReadAllBytes(IndexPath);
        byte[] entry = [0, 2, (byte)value.Length, .. "ka"u8];
        index[index.AsSpan().IndexOf(entry)] = 1;
        Seal(index, Blocks(index)[0]);
        File.WriteAllBytes(IndexPath, index);
        Assert.Contains("the length 1 passes what is left (0)", Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Strings_whose_lengths_have_another_checksum_are_refused()
    {
        byte[] data = StringTensor.Encode(["ab"u8.ToArray(), "c"u8.ToArray()], out uint crc);
        Assert.Equal(2, StringTensor.Decode(data, 2, out uint same).Length);
        Assert.Equal(crc, same);
        data[2] ^= 1; // behind the two lengths
        Assert.Contains("its lengths should have the CRC32C", Assert.Throws<InvalidDataException>(() => StringTensor.Decode(data, 2, out _)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFFF01", ulong.MaxValue)]
    [InlineData("8080808080808080807F", null)]
    [InlineData("FFFFFFFFFFFFFFFFFF02", null)]
    [InlineData("80808080808080808080", null)]
    public void Numbers_have_64_bits(string bytes, ulong? expected)
    {
        Exception? fault = Record.Exception(() =>
        {
            ReadOnlySpan<byte> data = Convert.FromHexString(bytes);
            Assert.Equal(expected, Varint.Read(ref data));
        });
        if (expected is null) Assert.Contains("more than 64 bits", Assert.IsType<InvalidDataException>(fault).Message, StringComparison.Ordinal);
        else Assert.Null(fault);
    }

    [Fact]
    public void Unknown_fields_and_element_types_are_listed()
    {
        // dtype 11, shape [], size 1, crc, then fields 9 (varint), 10 (bytes), 11 (fixed32), 12 (fixed64)
        byte[] value = Convert.FromHexString("080B1200280135010203044801520161" + "5D00000000" + "610000000000000000");
        WriteTable(([], [8, 1]), ("quantized"u8.ToArray(), value));
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        TensorEntry entry = Assert.Single(bundle.Entries);
        Assert.Equal("dtype 11", entry.DType.DisplayName());
        Assert.Equal(0x04030201u, entry.MaskedCrc32C);
    }

    [Fact]
    public void Sorted_table_without_header_is_no_checkpoint()
    {
        WriteTable(("key"u8.ToArray(), [1]));
        Assert.Equal(Gpt2Error.NotAFormat, Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix)).Error);
    }

    [Fact]
    public void Names_that_are_not_utf8_are_refused()
    {
        WriteTable(([], [8, 1]), ([0x61, 0xff], [8, 1, 18, 0, 40, 4]));
        Assert.Contains("not UTF-8", Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_that_share_bytes_are_refused()
    {
        byte[] value = Convert.FromHexString("08011200" + "2004" + "2804"); // a float at 4
        byte[] behind = Convert.FromHexString("08011200" + "2007" + "2804");
        WriteTable(([], [8, 1]), ("a"u8.ToArray(), value), ("b"u8.ToArray(), behind));
        Assert.Contains("'a' and 'b' overlap", Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_that_a_few_bytes_make_long_are_refused_before_they_fill_the_memory()
    {
        byte[] key = new byte[30_000];
        key.AsSpan().Fill((byte)'k');
        byte[] value = Convert.FromHexString("080112002804");
        List<(byte[] Key, byte[] Value)> entries = [([], [8, 1])];
        for (int i = 0; i < 400; i++) entries.Add(([.. key, (byte)(i >> 8), (byte)i], value));
        WriteTable([.. entries]);
        Assert.InRange(new FileInfo(IndexPath).Length, 1, 1_000_000);
        Assert.Contains("the keys take more than", Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(Prefix)).Message, StringComparison.Ordinal);
    }

    private void WriteSmall(bool compress)
    {
        using var writer = new TensorBundleWriter(Prefix, new TensorBundleWriterOptions { CompressIndex = compress, RestartInterval = 2 });
        writer.AddFloats("model/h0/attn/w", new TensorShape(2, 3), [1, 2, 3, 4, 5, 6]);
        writer.AddFloats("model/h0/attn/b", new TensorShape(3), [1, 2, 3]);
        writer.AddStrings("model/names", new TensorShape(2), ["ab"u8.ToArray(), "cde"u8.ToArray()]);
        writer.AddSlice("model/split", TensorDType.UInt8, new TensorShape(4), new TensorSlice(new TensorExtent(0, 3)), [1, 2, 3]);
        writer.AddSlice("model/split", TensorDType.UInt8, new TensorShape(4), new TensorSlice(new TensorExtent(3, 1)), [4]);
        writer.Finish();
    }

    private void WriteTable(params (byte[] Key, byte[] Value)[] entries)
    {
        using FileStream file = File.Create(IndexPath);
        var table = new SortedTableWriter(file, new TensorBundleWriterOptions());
        foreach ((byte[] key, byte[] value) in entries)
            table.Add(key, value);
        table.Finish();
    }

    private string List()
    {
        using TensorBundle bundle = TensorBundle.Open(Prefix);
        return string.Join('\n', bundle.Entries.Select(e =>
            $"{e.Name} {e.DType} {e.Shape} {e.ShardId} {e.Offset} {e.Size} {e.MaskedCrc32C} {string.Join(' ', e.Slices)}"));
    }

    private string? ListOrRefuse()
    {
        try
        {
            return List();
        }
        catch (Gpt2Exception)
        {
            return null;
        }
    }

    private Gpt2Exception? ReadEverythingOrRefuse()
    {
        try
        {
            using TensorBundle bundle = TensorBundle.Open(Prefix);
            bundle.EnsureComplete();
            foreach (TensorEntry entry in bundle.Entries)
            {
                if (entry.DType == TensorDType.String)
                    bundle.ReadStrings(entry);
                else
                    _ = bundle.GetBytes(entry).Span.Length;
                bundle.Verify(entry);
            }

            return null;
        }
        catch (Gpt2Exception fault)
        {
            return fault;
        }
    }

    private static List<BlockHandle> Blocks(byte[] index)
    {
        ReadOnlySpan<byte> footer = index.AsSpan(index.Length - SortedTable.FooterLength);
        BlockHandle metaIndex = BlockHandle.Read(ref footer);
        BlockHandle blockIndex = BlockHandle.Read(ref footer);
        return [new BlockHandle(0, metaIndex.Offset - SortedTable.TrailerLength), metaIndex, blockIndex];
    }

    private static void Seal(byte[] index, BlockHandle block)
    {
        ReadOnlySpan<byte> contents = index.AsSpan((int)block.Offset, (int)block.Size + 1);
        int crcOffset = (int)(block.Offset + block.Size) + 1;
        BinaryPrimitives.WriteUInt32LittleEndian(index.AsSpan(crcOffset), Crc32C.Mask(Crc32C.Compute(contents)));
    }
}
