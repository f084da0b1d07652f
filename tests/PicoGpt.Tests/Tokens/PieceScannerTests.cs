using System.Text.RegularExpressions;
using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed partial class PieceScannerTests
{
    // Within the basic plane a Regex on UTF-16 units is right, and so an oracle.
    private const string Alphabet = "abcXYZ  \t\n\r'sdmtrevl019½Ⅷéßñ中文ا.,!?-_\u00a0\u2003\u0085\u200b\u0301☃<|>";

    [Fact]
    public void Random_text_is_cut_as_by_the_pattern()
    {
        var random = new Random64(7);
        for (int round = 0; round < 5000; round++)
        {
            int length = (int)(random.Next() % 24);
            string text = string.Concat(Enumerable.Range(0, length).Select(_ => Alphabet[(int)(random.Next() % (ulong)Alphabet.Length)]));
            Assert.Equal(Pattern().Matches(text).Select(m => m.Value), Pieces(text));
        }
    }

    [Theory]
    [InlineData("a𝓣b", "a𝓣b")]
    [InlineData("中𠀀文", "中𠀀文")]
    [InlineData("1𝟙2", "1𝟙2")]
    [InlineData("a😀😀b", "a", "😀😀", "b")]
    [InlineData("  x", " ", " x")]
    [InlineData("it's IT'S", "it", "'s", " IT", "'", "S")]
    public void Code_points_are_never_cut(string text, params string[] pieces) => Assert.Equal(pieces, Pieces(text));

    [Theory]
    [InlineData(0xA7CB, true)] // Unicode 16.0
    [InlineData(0x10D4A, true)]
    [InlineData(0xA7CE, false)] // Unicode 17.0
    [InlineData(0x323B0, false)]
    public void Letters_are_those_of_the_version_of_Unicode_that_the_help_names(int letter, bool isLetter) =>
        Assert.Equal(isLetter ? 1 : 2, Pieces("a" + char.ConvertFromUtf32(letter)).Count);

    [Fact]
    public void An_unpaired_surrogate_is_neither_letter_nor_space() => Assert.Equal(["a", " \ud83d", " b"], Pieces("a \ud83d b"));

    private static List<string> Pieces(string text)
    {
        List<string> pieces = [];
        for (int start = 0; start < text.Length; start += pieces[^1].Length)
            pieces.Add(text.Substring(start, Gpt2PieceScanner.Instance.NextLength(text.AsSpan(start))));
        return pieces;
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
