using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Measuring;

/// <summary>
/// How well a model predicts a text. The totals are over the tokens that were measured: all, or all but the first where nothing was
/// put before it. Where no token was measured, the means are <see langword="null"/>.
/// </summary>
public sealed record Gpt2TextMeasure
{
    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>How the model's matrices were held.</summary>
    public required Gpt2Precision Precision { get; init; }

    /// <summary>The file that the text is from, if any.</summary>
    public string? Path { get; init; }

    /// <summary>The text.</summary>
    public required string Text { get; init; }

    /// <summary>All its tokens.</summary>
    public required IReadOnlyList<Gpt2TokenMeasure> Tokens { get; init; }

    /// <summary>The stride with which a text that is longer than the context is read.</summary>
    public required int Stride { get; init; }

    /// <summary>How many tokens were measured.</summary>
    public required int TokenCount { get; init; }

    /// <summary>How many characters, Unicode's code points, begin in them.</summary>
    public required int CharacterCount { get; init; }

    /// <summary>How many bytes they have in UTF-8.</summary>
    public required int ByteCount { get; init; }

    /// <summary>What ended the work before all tokens were measured, if anything did.</summary>
    public Exception? Fault { get; init; }

    /// <summary>The natural logarithm of their probability, all together.</summary>
    public required double LogProbability { get; init; }

    /// <summary>The cross-entropy in nats a token: the mean of <c>-ln p</c>.</summary>
    public double? CrossEntropy => TokenCount == 0 ? null : 0 - (LogProbability / TokenCount);

    /// <summary>The cross-entropy in bits per token: the mean surprisal.</summary>
    public double? BitsPerToken => CrossEntropy / PortableMath.Ln2;

    /// <summary>Perplexity: e to the cross-entropy in nats.</summary>
    public double? Perplexity => CrossEntropy is { } nats ? PortableMath.Exp(nats) : null;

    /// <summary>Bits a character: what the text would take if it were compressed with the model.</summary>
    public double? BitsPerCharacter => PerUnit(CharacterCount);

    /// <summary>Bits a byte of UTF-8.</summary>
    public double? BitsPerByte => PerUnit(ByteCount);

    /// <summary>
    /// Saves texts as one HTML page for a browser, which loads nothing from anywhere: each token on the colour of its surprisal, with what
    /// the model would rather have said at the pointer. It is written whole or not at all.
    /// </summary>
    /// <param name="measures">The measures, a section of the page each.</param>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether an existing file may be overwritten.</param>
    /// <exception cref="Gpt2Exception">The file is there, or cannot be written.</exception>
    public static void SaveHtml(IReadOnlyList<Gpt2TextMeasure> measures, string path, bool overwrite = false)
    {
        ArgumentNullException.ThrowIfNull(measures);
        ArgumentException.ThrowIfNullOrEmpty(path);
        OutputFile.Save(path, stream => MeasurePage.Write(measures, stream), overwrite);
    }

    /// <inheritdoc/>
    public override string ToString() => Perplexity is { } perplexity
        ? FormattableString.Invariant($"{TokenCount} tokens, perplexity {perplexity:0.00}")
        : FormattableString.Invariant($"{TokenCount} tokens");

    private double? PerUnit(int count) => count == 0 ? null : 0 - (LogProbability / PortableMath.Ln2 / count);
}
