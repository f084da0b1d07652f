using PicoGpt.Checkpoints.TensorFlow;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public class OrderedCodeTests
{
    [Theory]
    [InlineData(0L, "80")]
    [InlineData(-1L, "7F")]
    [InlineData(63L, "BF")]
    [InlineData(-64L, "40")]
    [InlineData(64L, "C040")]
    [InlineData(-65L, "3FBF")]
    [InlineData(8191L, "DFFF")]
    [InlineData(8192L, "E02000")]
    [InlineData(long.MaxValue, "FFC07FFFFFFFFFFFFFFF")]
    [InlineData(long.MinValue, "003F8000000000000000")]
    public void Signed_numbers_have_the_known_bytes(long value, string hex)
    {
        var output = new List<byte>();
        OrderedCode.WriteSigned(output, value);
        Assert.Equal(hex, Convert.ToHexString([.. output]));
    }

    [Fact]
    public void Signed_numbers_sort_as_their_bytes()
    {
        long[] values = [long.MinValue, -1L << 40, -8193, -8192, -65, -64, -1, 0, 1, 63, 64, 8191, 8192, 50257, 1L << 62, long.MaxValue];
        byte[][] codes = [.. values.Select(Code)];
        for (int i = 1; i < codes.Length; i++)
            Assert.True(codes[i - 1].AsSpan().SequenceCompareTo(codes[i]) < 0, $"{values[i - 1]} and {values[i]}");

        static byte[] Code(long value)
        {
            var output = new List<byte>();
            OrderedCode.WriteSigned(output, value);
            return [.. output];
        }
    }

    [Fact]
    public void Unsigned_numbers_and_strings_have_the_known_bytes()
    {
        var output = new List<byte>();
        OrderedCode.WriteUnsigned(output, 0);
        OrderedCode.WriteUnsigned(output, 255);
        OrderedCode.WriteUnsigned(output, 0x1234);
        OrderedCode.WriteString(output, [0x61, 0x00, 0xff, 0x62]);
        Assert.Equal("00" + "01FF" + "021234" + "6100FFFF00620001", Convert.ToHexString([.. output]));
    }

    [Fact]
    public void Slice_key_has_the_documented_layout()
    {
        var slice = new TensorSlice(new TensorExtent(2, 100), TensorExtent.Whole);
        Assert.Equal("00" + "770001" + "0102" + "82C064" + "807F", Convert.ToHexString(OrderedCode.SliceKey("w"u8, slice)));
    }
}
