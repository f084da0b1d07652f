using System.Text;
using System.Text.RegularExpressions;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

/// <summary>A vocabulary's files as people's editors and shells save them again: read right, or refused with the reason.</summary>
public sealed partial class CodePageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CodePageTests()
    {
        foreach (string name in (string[])["encoder.json", "vocab.bpe"]) File.Copy(Path.Combine(BuiltInModel.Folder, name), _folder.File(name));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("encoder.json", "utf-8")]
    [InlineData("encoder.json", "utf-16")]
    [InlineData("encoder.json", "utf-16BE")]
    [InlineData("vocab.bpe", "utf-8")]
    [InlineData("vocab.bpe", "utf-16")]
    [InlineData("vocab.bpe", "utf-16BE")]
    public void A_file_with_a_mark_of_its_byte_order_is_read_as_it_says(string name, string encoding)
    {
        const string Text = "Once upon a time there was a k\u00F6nig \u2603";
        IReadOnlyList<int> expected = Tokenizer.Load(BuiltInModel.Folder).Encode(Text);
        var marked = Encoding.GetEncoding(encoding);
        File.WriteAllBytes(_folder.File(name), [.. marked.GetPreamble(), .. marked.GetBytes(File.ReadAllText(_folder.File(name)).ReplaceLineEndings("\r\n"))]);
        Assert.Equal(expected, Tokenizer.Load(_folder.Path).Encode(Text));
    }

    // What Windows puts in place of a letter that a code page lacks is the nearest one, and what other systems put there is a question mark.
    [Theory]
    [InlineData("encoder.json", '?')]
    [InlineData("encoder.json", 'G')]
    [InlineData("vocab.bpe", '?')]
    [InlineData("vocab.bpe", 'G')]
    public void A_file_that_lost_its_letters_to_a_code_page_says_so(string name, char substitute)
    {
        string text = Escape().Replace(File.ReadAllText(_folder.File(name)), escape => ((char)Convert.ToInt32(escape.Groups[1].Value, 16)).ToString());
        File.WriteAllText(_folder.File(name), string.Concat(text.Select(c => c < 256 ? c : substitute)));
        AssertRefused(name, "saved in another code page");
    }

    [Theory]
    [InlineData("encoder.json")]
    [InlineData("vocab.bpe")]
    public void A_file_in_a_code_page_of_one_byte_a_letter_says_so(string name)
    {
        File.WriteAllBytes(_folder.File(name), Encoding.Latin1.GetBytes(name == "vocab.bpe" ? "#version: 0.2\n\u00E9 \u00E8\n" : "{\"\u00E9\": 0}"));
        AssertRefused(name, "is not UTF-8");
    }

    [Theory]
    [InlineData("encoder.json.txt")]
    [InlineData("encoder (1).json")]
    [InlineData("my-encoder.json")]
    public void A_missing_file_names_what_may_be_it_under_another_name(string name)
    {
        File.Move(_folder.File("encoder.json"), _folder.File(name));
        AssertRefused("encoder.json", $"encoder.json' is missing; rename '{name}', if that is it; ");
        File.Delete(_folder.File("vocab.bpe"));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path));
        Assert.Contains($"; rename '{name}', if that is it, or copy that of the model", fault.Message, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\\u([0-9a-f]{4})")]
    private static partial Regex Escape();

    private void AssertRefused(string name, string part)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Tokenizer.Load(_folder.Path));
        Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        Assert.Equal(_folder.File(name), fault.Path);
    }
}
