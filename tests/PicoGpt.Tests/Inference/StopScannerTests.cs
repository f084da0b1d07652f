using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class StopScannerTests
{
    [Fact]
    public void What_may_begin_a_stop_string_is_held_back_until_it_does_not()
    {
        var scanner = new StopScanner(["abc"]);
        Assert.Equal("x", scanner.Append("xa"));
        Assert.Equal("", scanner.Append("b"));
        Assert.Equal("abab", scanner.Append("abd")[..4]);
        Assert.False(scanner.Stopped);
    }

    [Fact]
    public void The_first_of_several_stop_strings_counts()
    {
        var scanner = new StopScanner(["zz", "y"]);
        Assert.Equal("ab", scanner.Append("abyzz"));
        Assert.True(scanner.Stopped);
        Assert.Equal("", scanner.Append("more"));
        Assert.Equal("", scanner.Flush());
    }

    [Fact]
    public void What_is_held_back_comes_at_the_end()
    {
        var scanner = new StopScanner(["\n\n"]);
        Assert.Equal("a", scanner.Append("a\n"));
        Assert.Equal("\n", scanner.Flush());
    }

    [Theory]
    [InlineData("ababac", "abac", "ab")]
    [InlineData("aaab", "aab", "a")]
    [InlineData("no stop here", "zebra", "no stop here")]
    public void Every_way_of_cutting_a_text_passes_the_same(string text, string stop, string passed)
    {
        for (int cuts = 0; cuts < 1 << (text.Length - 1); cuts += cuts < 64 ? 1 : 97)
        {
            var scanner = new StopScanner([stop]);
            string result = "";
            int start = 0;
            for (int i = 1; i <= text.Length; i++)
            {
                if (i < text.Length && (cuts & (1 << (i - 1))) == 0) continue;
                result += scanner.Append(text[start..i]);
                start = i;
            }

            Assert.Equal(passed, result + scanner.Flush());
        }
    }
}
