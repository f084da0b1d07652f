using System.Globalization;
using System.Text;

namespace PicoGpt.Tokens;

/// <summary>
/// Cuts texts at added tokens, as transformers does (<c>AddedVocabulary</c> of Hugging Face's tokenizers): first at those that are not
/// <see cref="AddedToken.Normalized"/>, and what is left at the others; always at the first, and of several that begin there at the longest.
/// </summary>
internal sealed class AddedTokens
{
    private readonly AddedTokenTrie[] _passes;
    private readonly Dictionary<string, AddedToken> _byText;
    private readonly TokenTable _texts; // by id

    public AddedTokens(IReadOnlyList<AddedToken> tokens)
    {
        All = tokens;
        _byText = tokens.ToDictionary(token => token.Text);
        _texts = new TokenTable(tokens.ToDictionary(token => token.Text, token => token.Id));
        AddedTokenTrie first = new(tokens.Where(token => !token.Normalized)), second = new(tokens.Where(token => token.Normalized));
        _passes = [first, second];
        Special = tokens.Where(token => token.IsSpecial).ToDictionary(token => token.Text, token => token.Id);
    }

    public IReadOnlyList<AddedToken> All { get; }

    /// <summary>The ids of the special ones by their spelling.</summary>
    public IReadOnlyDictionary<string, int> Special { get; }

    public AddedToken? Find(int id) => _texts.Find(id) is { } text ? _byText[text] : null;

    public AddedToken? Find(string text) => _byText.GetValueOrDefault(text);

    /// <summary>The sections of a text, which together are the whole of it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowSpecial">Whether those tokens are looked for too that need permission.</param>
    public List<TextSection> Split(string text, bool allowSpecial)
    {
        List<TextSection> sections = text.Length == 0 ? [] : [new TextSection(0, text.Length, null)];
        foreach (AddedTokenTrie pass in _passes)
        {
            if (pass.IsEmpty) continue;
            List<TextSection> cut = [];
            foreach (TextSection section in sections)
            {
                if (section.Token is null) Split(text, section, pass, allowSpecial, cut);
                else cut.Add(section);
            }

            sections = cut;
        }

        return sections;
    }

    private static void Split(string text, TextSection section, AddedTokenTrie pass, bool allowSpecial, List<TextSection> cut)
    {
        ReadOnlySpan<char> whole = text.AsSpan(0, section.End);
        int done = section.Start; // the end of what is cut
        int from = section.Start; // where to look on
        while (pass.TryFindFirst(whole[from..], allowSpecial, out int at, out AddedToken? token))
        {
            int start = from + at, end = start + token.Text.Length;
            from = end;
            if (token.SingleWord && (EndsInWord(whole[section.Start..start]) || BeginsWithWord(whole[end..]))) continue;
            if (token.LStrip) start = done + whole[done..start].TrimEnd().Length;
            if (token.RStrip) end = section.End - whole[end..].TrimStart().Length;
            if (start > done) cut.Add(new TextSection(done, start - done, null));
            cut.Add(new TextSection(start, end - start, token));
            done = from = end;
        }

        if (done < section.End) cut.Add(new TextSection(done, section.End - done, null));
    }

    private static bool EndsInWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out Rune last, out _) == System.Buffers.OperationStatus.Done && IsWord(last);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out Rune first, out _) == System.Buffers.OperationStatus.Done && IsWord(first);

    // \w of Unicode's regular expressions (UTS 18, annex C).
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.OtherLetter => true,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => true,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D, // the joiners
    };
}
