using Xunit;

namespace PicoGpt.Tests.Tokens;

/// <summary>What has no shape of its own is spelled out, unless it is a part of a text.</summary>
public sealed class VisibleTextTests
{
    [Theory]
    [InlineData(0x115F)]
    [InlineData(0x1160)]
    [InlineData(0x3164)]
    [InlineData(0xFFA0)]
    [InlineData(0x17B4)]
    [InlineData(0x034F)]
    [InlineData(0x2800)]
    [InlineData(0xFE0F)]
    [InlineData(0xE0100)]
    [InlineData(0xE000)]
    [InlineData(0xFFFF)]
    [InlineData(0x1B)]
    [InlineData(0x202E)]
    [InlineData(0x200D)]
    public void What_looks_like_nothing_is_spelled_out_in_a_name(int character) =>
        Assert.Equal($"a\\u{character:x4}b", VisibleText.Of($"a{char.ConvertFromUtf32(character)}b"));

    [Theory]
    [InlineData("\u2764\uFE0F")] // a heart in colour
    [InlineData("\U0001F468\u200D\U0001F469")] // a family
    [InlineData("\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645")] // a Persian word
    [InlineData("\u2811\u2800\u2813")] // two words in Braille
    public void What_a_text_is_made_of_stays(string text) => Assert.Equal(text, VisibleText.Of(text));

    [Fact]
    public void A_row_of_variations_hides_nothing() =>
        Assert.Equal("\u2764\uFE0F\\ufe01\\ufe02", VisibleText.Of("\u2764\uFE0F\uFE01\uFE02"));
}
