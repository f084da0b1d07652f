using System.Text;
using PicoGpt.Checkpoints.TensorFlow;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public class SnappyBlockTests
{
    private const int MaxBytes = 1_000_000;

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("abcabcabcabcabcabcabc")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Text_survives_the_round_trip(string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(bytes, SnappyBlock.Decompress(SnappyBlock.Compress(bytes), bytes.Length));
    }

    [Fact]
    public void Long_mixed_blocks_survive_the_round_trip_and_shrink()
    {
        var random = new Random(7);
        byte[] block = new byte[300_000];
        random.NextBytes(block.AsSpan(0, 100_000));
        for (int i = 100_000; i < block.Length; i++)
            block[i] = random.Next(4) == 0 ? (byte)random.Next(3) : block[i - 1 - random.Next(20)];

        byte[] compressed = SnappyBlock.Compress(block);
        Assert.True(compressed.Length < block.Length);
        Assert.Equal(block, SnappyBlock.Decompress(compressed, MaxBytes));
    }

    [Fact]
    public void Copies_of_every_width_are_read()
    {
        // length 18; literal "abcd"; copy with 1, 2 and 4 bytes of offset; literal with an extra length byte
        byte[] compressed = [18, 3 << 2, .. "abcd"u8, 0x01, 4, (3 << 2) | 2, 4, 0, (3 << 2) | 3, 2, 0, 0, 0, 60 << 2, 1, .. "xy"u8];
        Assert.Equal("abcdabcdabcdcdcdxy", Encoding.ASCII.GetString(SnappyBlock.Decompress(compressed, MaxBytes)));
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0x7f, 0 })] // claims far more than its bytes can make
    [InlineData(new byte[] { 5, 0, 65 })] // ends early
    [InlineData(new byte[] { 8, 28, 65, 65 })] // literal passes the input
    [InlineData(new byte[] { 8, 0, 65, 1, 0 })] // copy with offset 0
    [InlineData(new byte[] { 8, 0, 65, 1, 2 })] // copy from before the start
    [InlineData(new byte[] { 8, 0, 65, 2, 1 })] // offset cut off
    [InlineData(new byte[] { 20, 252, 255, 255, 255, 255, 65 })] // literal of 4 GiB
    public void Malformed_blocks_are_refused(byte[] compressed) =>
        Assert.Throws<InvalidDataException>(() => SnappyBlock.Decompress(compressed, MaxBytes));

    // The block's checksum has vouched for all of them by then.
    [Theory]
    [InlineData(new byte[] { 1, 4, 65, 66 }, "A")] // a literal
    [InlineData(new byte[] { 3, 0, 65, 1, 1 }, "AAA")] // a copy
    [InlineData(new byte[] { 1, 0, 65, 0, 66 }, "A")] // another element
    public void Bytes_beyond_the_declared_length_are_not_made(byte[] compressed, string text) =>
        Assert.Equal(text, Encoding.ASCII.GetString(SnappyBlock.Decompress(compressed, MaxBytes)));

    [Fact]
    public void Blocks_that_make_more_bytes_than_allowed_are_refused()
    {
        byte[] compressed = SnappyBlock.Compress(new byte[100]);
        Assert.Equal(100, SnappyBlock.Decompress(compressed, maxBytes: 100).Length);
        Assert.Throws<InvalidDataException>(() => SnappyBlock.Decompress(compressed, maxBytes: 99));
    }
}
