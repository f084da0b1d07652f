using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class StreamingDecoderTests
{
    private static readonly Tokenizer Encoder = Tokenizer.Load(BuiltInModel.Folder);

    [Theory]
    [InlineData("Hello wörld")]
    [InlineData("👨‍👩‍👧‍👦 中𠀀文 a𝓣b ☃️")]
    public void No_piece_breaks_a_character(string text)
    {
        var decoder = new StreamingDecoder(Encoder);
        List<string> pieces = [.. Encoder.Encode(text).Select(decoder.Append)];
        Assert.Equal("", decoder.Flush());
        Assert.Equal(text, string.Concat(pieces));
        Assert.All(pieces, piece => Assert.DoesNotContain('\ufffd', piece));
        Assert.All(pieces, piece => Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1]))));
    }

    [Fact]
    public void Pieces_of_any_tokens_make_the_text_of_all_of_them()
    {
        int[] bytes = [.. Enumerable.Range(0, Encoder.Count).Where(id => Encoder.GetBytes(id).Length == 1 && Encoder.GetBytes(id)[0] > 127)];
        var random = new Random64(5);
        for (int round = 0; round < 3000; round++)
        {
            int length = (int)(random.Next() % 12);
            int[] ids = [.. Enumerable.Range(0, length).Select(_ => random.Next() % 4 == 0
                ? (int)(random.Next() % (ulong)Encoder.Count)
                : bytes[(int)(random.Next() % (ulong)bytes.Length)])];
            var decoder = new StreamingDecoder(Encoder);
            string streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
            Assert.Equal(Encoder.Decode(ids), streamed);
        }
    }

    [Fact]
    public void A_text_that_ends_within_a_character_ends_in_the_replacement_character()
    {
        var decoder = new StreamingDecoder(Encoder);
        Assert.Equal("", decoder.Append(Encoder.Encode("😀")[0]));
        Assert.Equal("\ufffd", decoder.Flush());
    }
}
