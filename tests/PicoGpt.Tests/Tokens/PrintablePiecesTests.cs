using Xunit;

namespace PicoGpt.Tests.Tokens;

/// <summary>A text that comes in pieces is shown as the whole would be.</summary>
public sealed class PrintablePiecesTests
{
    private const string Text = "a\e[2Jb\r\nc\rd\u202ee\tf\u200Bg \U0001F468\u200D\U0001F469\u2764\uFE0F \u0645\u06CC\u200C\u062E\u2811\u2800\u2813\u2028h\u200D";

    [Fact]
    public void However_a_text_is_cut_it_is_shown_as_the_whole_is()
    {
        string[] characters = [.. Text.EnumerateRunes().Select(rune => rune.ToString())];
        for (int size = 1; size <= characters.Length; size++)
        {
            var pieces = new PrintablePieces();
            string shown = string.Concat(characters.Chunk(size).Select(piece => pieces.Add(string.Concat(piece)))) + pieces.Finish();
            Assert.Equal(VisibleText.Printable(Text), shown);
        }
    }

    [Fact]
    public void What_needs_no_neighbour_is_shown_at_once()
    {
        var pieces = new PrintablePieces();
        Assert.Equal("Once", pieces.Add("Once"));
        Assert.Equal(" upon\n\t", pieces.Add(" upon\n\t"));
        Assert.Equal("a", pieces.Add("a\e"));
        Assert.Equal("\\x1bb", pieces.Add("b"));
        Assert.Equal("", pieces.Finish());
    }
}
