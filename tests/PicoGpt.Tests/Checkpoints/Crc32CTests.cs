using System.Text;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public class Crc32CTests
{
    public delegate uint AppendFunction(uint crc, ReadOnlySpan<byte> data);

    public static TheoryData<string> Variants => ["chosen", "instruction", "table"];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Check_value_is_that_of_the_standard(string variant) =>
        Assert.Equal(0xe3069283u, Function(variant)(0, "123456789"u8));

    [Theory]
    [MemberData(nameof(Variants))]
    public void Vectors_of_rfc_3720_agree(string variant)
    {
        byte[] ascending = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        Assert.Equal(0x8a9136aau, Function(variant)(0, new byte[32]));
        Assert.Equal(0x46dd794eu, Function(variant)(0, ascending));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_length_and_alignment_agrees_with_one_bit_at_a_time(string variant)
    {
        byte[] data = RandomBytes(200);
        for (int start = 0; start < 9; start++)
        {
            for (int length = 0; length <= 100; length++)
                Assert.Equal(BitByBit(data.AsSpan(start, length)), Function(variant)(0, data.AsSpan(start, length)));
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Long_data_agrees_around_the_length_of_three_streams(string variant)
    {
        const int ThreeStreams = 3 * 16 * 1024;
        byte[] data = RandomBytes((2 * ThreeStreams) + 20);
        foreach (int length in new[] { ThreeStreams - 1, ThreeStreams, ThreeStreams + 1, 2 * ThreeStreams, (2 * ThreeStreams) + 13 })
            Assert.Equal(BitByBit(data.AsSpan(1, length)), Function(variant)(0, data.AsSpan(1, length)));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Appending_parts_gives_the_checksum_of_the_whole(string variant)
    {
        byte[] data = RandomBytes(100_000);
        AppendFunction append = Function(variant);
        Assert.Equal(append(0, data), append(append(0, data.AsSpan(0, 777)), data.AsSpan(777)));
    }

    [Fact]
    public void Mask_is_undone_by_unmask()
    {
        uint crc = Crc32C.Compute(Encoding.ASCII.GetBytes("foo"));
        Assert.Equal(crc, Crc32C.Unmask(Crc32C.Mask(crc)));
        Assert.NotEqual(crc, Crc32C.Mask(crc));
        Assert.Equal(0xa282ead8u, Crc32C.Mask(0));
        Assert.Equal(0x294e74d2u, Crc32C.Unmask(0x8c273d74)); // model/h0/attn/c_attn/b of OpenAI's 124M
    }

    private static AppendFunction Function(string variant) => variant switch
    {
        "instruction" => Crc32C.AppendByInstruction,
        "table" => Crc32C.AppendByTable,
        _ => Crc32C.Append,
    };

    private static uint BitByBit(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }

        return ~crc;
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(42).NextBytes(bytes);
        return bytes;
    }
}
