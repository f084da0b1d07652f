using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class Crc32Tests
{
    [Fact]
    public void The_check_value_is_that_of_the_standard() => Assert.Equal(0xCBF43926u, Crc32.Compute("123456789"u8));

    [Fact]
    public void Parts_of_any_length_give_what_the_whole_gives()
    {
        byte[] bytes = new byte[700];
        new Random(1).NextBytes(bytes);
        uint plain = ~0u;
        foreach (byte value in bytes)
        {
            plain ^= value;
            for (int bit = 0; bit < 8; bit++) plain = (plain & 1) == 0 ? plain >> 1 : (plain >> 1) ^ 0xEDB88320;
        }

        for (int cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(~plain, Crc32.Append(Crc32.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
    }
}
