using System.Runtime.InteropServices;
using System.Text.Json;
using PicoGpt.Checkpoints.Gguf;
using Xunit;

namespace PicoGpt.Tests.Checkpoints.Gguf;

public sealed class GgmlBlocksTests
{
    // What ggml itself gives; the file says how it was made.
    private static readonly JsonElement Ggml = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "ggml-blocks.json"))).RootElement;

    public static TheoryData<string> Types => [.. Ggml.GetProperty("decoded").EnumerateArray().Select(entry => entry.GetProperty("type").GetString()!)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Blocks_of_any_bits_have_the_values_that_ggml_gives_to_the_bit(string type)
    {
        JsonElement entry = Ggml.GetProperty("decoded").EnumerateArray().Single(entry => entry.GetProperty("type").GetString() == type);
        byte[] blocks = entry.GetProperty("blocks").GetBytesFromBase64();
        GgmlFormat format = GgmlFormat.Of(Enum.Parse<GgmlType>(type))!;
        float[] expected = Floats(entry);
        Assert.Equal(expected.Length / format.BlockLength * format.BlockSize, blocks.Length);
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), Decode(format, blocks).Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Every_type_of_blocks_that_is_read_was_compared()
    {
        IEnumerable<GgmlType> read = Enum.GetValues<GgmlType>().Where(type => GgmlFormat.Of(type) is { Decode: not null });
        Assert.Equal(read.Select(type => type.ToString()).Order(), Types.Select(row => row.Data).Order());
    }

    [Fact]
    public void Values_are_rounded_to_8_bits_as_ggml_rounds_them()
    {
        JsonElement entry = Ggml.GetProperty("encoded");
        float[] values = Floats(entry);
        byte[] blocks = new byte[values.Length / 32 * 34];
        for (int i = 0; i < values.Length / 32; i++) GgmlBlocks.EncodeQ8_0(values.AsSpan(i * 32, 32), blocks.AsSpan(i * 34, 34));
        Assert.Equal(entry.GetProperty("blocks").GetBytesFromBase64(), blocks);
    }

    [Fact]
    public void Blocks_that_were_worked_out_by_hand_have_their_values()
    {
        // d = 0.5 (0x3800); the bytes 0x19, 0xF0, … are the elements 9, 0 and, 16 further on, 1, 15
        byte[] four = [0x00, 0x38, 0x19, 0xF0, .. Enumerable.Repeat((byte)0x88, 14)];
        float[] values = Decode(GgmlFormat.Of(GgmlType.Q4_0)!, four);
        Assert.Equal([0.5f, -4f, 0f], values[..3]);
        Assert.Equal([-3.5f, 3.5f, 0f], values[16..19]);

        // the same with m = 2 (0x4000) in place of the subtracted 8
        values = Decode(GgmlFormat.Of(GgmlType.Q4_1)!, [0x00, 0x38, 0x00, 0x40, .. four[2..]]);
        Assert.Equal([6.5f, 2f, 6f], values[..3]);
        Assert.Equal([2.5f, 9.5f, 6f], values[16..19]);

        // fifth bits of the elements 0 and 17: 9 + 16 - 16, 0 - 16; 1 - 16, 15 + 16 - 16
        values = Decode(GgmlFormat.Of(GgmlType.Q5_0)!, [0x00, 0x38, 0x01, 0x00, 0x02, 0x00, .. four[2..]]);
        Assert.Equal([4.5f, -8f, -4f], values[..3]);
        Assert.Equal([-7.5f, 7.5f, -4f], values[16..19]);

        values = Decode(GgmlFormat.Of(GgmlType.Q8_0)!, [0x00, 0x38, 127, 0x81, 1, .. new byte[29]]);
        Assert.Equal([63.5f, -63.5f, 0.5f, 0f], values[..4]);

        // d = 1, dmin = 1; of the first group the scale is 3 and the minimum 2, the first quant 7
        byte[] block = new byte[144];
        (block[1], block[3], block[4], block[8], block[16]) = (0x3C, 0x3C, 3, 2, 7);
        values = Decode(GgmlFormat.Of(GgmlType.Q4_K)!, block);
        Assert.Equal([19f, -2f, -2f], values[..3]);
        Assert.Equal(0f, values[32]);

        // d = 1; the first scale is -2, of the first element all six bits are set: 63 - 32
        block = new byte[210];
        (block[0], block[128], block[192], block[209]) = (0x0F, 0x03, 0xFE, 0x3C);
        values = Decode(GgmlFormat.Of(GgmlType.Q6_K)!, block);
        Assert.Equal([-62f, 64f, 64f], values[..3]);
        Assert.Equal(0f, values[16]);
    }

    private static float[] Floats(JsonElement entry) => MemoryMarshal.Cast<byte, float>(entry.GetProperty("values").GetBytesFromBase64()).ToArray();

    private static float[] Decode(GgmlFormat format, byte[] blocks)
    {
        float[] values = new float[blocks.Length / format.BlockSize * format.BlockLength];
        for (int i = 0; i < blocks.Length / format.BlockSize; i++)
            format.Decode!(blocks.AsSpan(i * format.BlockSize, format.BlockSize), values.AsSpan(i * format.BlockLength, format.BlockLength));
        return values;
    }
}
