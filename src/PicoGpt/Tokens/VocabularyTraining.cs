namespace PicoGpt.Tokens;

/// <summary>
/// Learns a byte-level byte-pair vocabulary from texts, as GPT-2's was learnt (R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation
/// of Rare Words with Subword Units", 2016): texts are cut into words by GPT-2's pattern, and of all pairs of neighbouring tokens within
/// a word the most frequent becomes a token, again and again. Of equally frequent pairs the one whose left token has the smaller id comes
/// first, and then the one whose right token has. It is for one thread at a time.
/// </summary>
public sealed class VocabularyTraining
{
    /// <summary>The tokens that every vocabulary has: one for each byte, and <c>&lt;|endoftext|&gt;</c>.</summary>
    public const int LeastSize = 257;

    /// <summary>The most tokens that are learnt: ten times GPT-2's.</summary>
    public const int LargestSize = 1 << 19;

    // So often a cancellation is looked for.
    private const int Portion = 1 << 12;

    private readonly WordCounts _words;

    /// <summary>Begins without any text.</summary>
    public VocabularyTraining()
        : this(WordCounts.UsualCapacity)
    {
    }

    /// <param name="capacity">The most characters of different words that are kept.</param>
    internal VocabularyTraining(int capacity) => _words = new WordCounts(Gpt2PieceScanner.Instance, capacity);

    /// <summary>The characters that were read.</summary>
    public long Characters { get; private set; }

    /// <summary>The different words that were found.</summary>
    public int Words => _words.Count;

    /// <summary>
    /// Reads a text; <c>&lt;|endoftext|&gt;</c> in it separates two. The memory is bounded: where the different words would pass 16 million
    /// characters, which a hundred megabytes of prose are far from, the rarest until then are forgotten.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Ends it; a part of the text is counted then.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Add(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (Range part in text.AsSpan().Split(Tokenizer.EndOfTextSymbol)) _words.Add(text.AsSpan()[part], cancellationToken);
        Characters += text.Length;
    }

    /// <summary>Learns a vocabulary from the texts that were read.</summary>
    /// <param name="size">
    /// Its tokens: the 256 bytes by the ids that OpenAI's vocabulary gives them, then those that are learnt, in their order, and
    /// <c>&lt;|endoftext|&gt;</c> last.
    /// </param>
    /// <param name="progress">Told the share that is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The vocabulary.</returns>
    /// <exception cref="Gpt2Exception">The size is out of its range, or the texts are too short for so many tokens.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public BytePairEncoder Learn(int size, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        RequireSize(size);
        var pairs = new PairMerger(_words, cancellationToken);
        var table = new MergeTable();
        Dictionary<string, int> ids = [];
        foreach (byte value in ByteAlphabet.InOrder) ids.Add(ByteAlphabet.Characters[value].ToString(), ids.Count);
        List<string> symbols = [.. ids.Keys];
        for (int merge = 0; merge < size - LeastSize; merge++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (pairs.MergeNext() is not (int left, int right)) throw TooShort(merge, size);
            table.Add(symbols[left], symbols[right], merge);
            symbols.Add(symbols[left] + symbols[right]);
            ids.Add(symbols[^1], symbols.Count - 1);
            if (merge % Portion == 0) progress?.Report((double)merge / (size - LeastSize));
        }

        ids.Add(Tokenizer.EndOfTextSymbol, ids.Count);
        return new BytePairEncoder("the vocabulary that was learnt", ids, table);
    }

    /// <exception cref="Gpt2Exception">The size is out of its range.</exception>
    internal static void RequireSize(int size)
    {
        if (size is >= LeastSize and <= LargestSize) return;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            FormattableString.Invariant($"A vocabulary of {size:N0} tokens cannot be learnt; the 256 bytes and {Tokenizer.EndOfTextSymbol} are {LeastSize}, and {LargestSize:N0} are the most."));
    }

    // A pair that came once says nothing of other texts.
    private Gpt2Exception TooShort(int merges, int size) => new(
        Gpt2Error.InvalidArgument,
        FormattableString.Invariant($"The texts, of {Characters:N0} characters, have {merges:N0} pairs that come more than once, too few for a vocabulary of {size:N0} tokens; ")
            + FormattableString.Invariant($"give more text, or ask for {merges + LeastSize:N0} tokens or fewer."));
}
