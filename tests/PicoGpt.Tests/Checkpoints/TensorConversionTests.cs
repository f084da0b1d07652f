using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class TensorConversionTests
{
    [Theory]
    [InlineData(0x3F800000u, 0x3F80)]
    [InlineData(0x3F808000u, 0x3F80)] // a tie, to even
    [InlineData(0x3F818000u, 0x3F82)]
    [InlineData(0x3F808001u, 0x3F81)]
    [InlineData(0x80000000u, 0x8000)]
    [InlineData(0x7F7FFFFFu, 0x7F80)] // the largest number is nearer to what would come next
    [InlineData(0x7F800000u, 0x7F80)]
    [InlineData(0xFF800000u, 0xFF80)]
    [InlineData(0x7F800001u, 0x7FC0)] // of a NaN the upper half alone would be an infinity
    [InlineData(0xFF800001u, 0xFFC0)]
    [InlineData(0x7FFFFFFFu, 0x7FFF)]
    public void Float32_is_rounded_to_the_nearest_bfloat16(uint bits, int expected) =>
        Assert.Equal(expected, Rounded(TensorDType.BFloat16, BitConverter.UInt32BitsToSingle(bits)));

    [Theory]
    [InlineData(1f, 0x3C00)]
    [InlineData(65504f, 0x7BFF)]
    [InlineData(1e6f, 0x7BFF)]
    [InlineData(-1e6f, 0xFBFF)]
    [InlineData(1e-9f, 0)]
    public void Float32_is_rounded_to_the_nearest_half_and_none_becomes_an_infinity(float value, int expected) =>
        Assert.Equal(expected, Rounded(TensorDType.Float16, value));

    private static int Rounded(TensorDType dtype, float value) => MemoryMarshal.Read<ushort>(TensorConversion.FromFloats(dtype, [value]));
}
