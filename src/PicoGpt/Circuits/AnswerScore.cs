using PicoGpt.Inference;
using PicoGpt.Tokens;

namespace PicoGpt.Circuits;

/// <summary>What is compared between runs: the difference of two tokens' logits, or the log-probability of one.</summary>
internal sealed class AnswerScore
{
    /// <exception cref="Gpt2Exception">An answer is not one token.</exception>
    public AnswerScore(Gpt2Model model, string answer, string? against)
        : this(model, TokenOf(model, answer), against is null ? null : TokenOf(model, against))
    {
    }

    private AnswerScore(Gpt2Model model, int answer, int? against)
    {
        (Answer, Against) = (answer, against);
        Name = against is { } other
            ? $"the logit of '{TextOf(model, answer)}' less that of '{TextOf(model, other)}'"
            : $"the log-probability of '{TextOf(model, answer)}'";
    }

    /// <summary>The token.</summary>
    public int Answer { get; }

    /// <summary>The token whose logit is subtracted, if any.</summary>
    public int? Against { get; }

    /// <summary>What it is, in words.</summary>
    public string Name { get; }

    /// <summary>The score of logits.</summary>
    public double Of(ReadOnlySpan<float> logits) => // [n_vocab]
        Against is { } against ? (double)logits[Answer] - logits[against] : new TokenDistribution(logits).LogProbabilityOf(Answer);

    /// <summary>The score of logits, whose gradient is left in their place.</summary>
    public double Differentiate(Span<float> logits) // [n_vocab]
    {
        double score = Of(logits);
        if (Against is { } against)
        {
            logits.Clear();
            logits[against] = -1;
        }
        else
        {
            var distribution = new TokenDistribution(logits);
            for (int id = 0; id < logits.Length; id++) logits[id] = -(float)distribution.ProbabilityOf(id); // d ln p(answer) / d logit
        }

        logits[Answer] += 1;
        return score;
    }

    /// <summary>What options ask about, or the likeliest token after a text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">The options.</param>
    /// <param name="logits">The logits after the text: [n_vocab].</param>
    /// <exception cref="Gpt2Exception">An answer is not one token.</exception>
    public static AnswerScore Of(Gpt2Model model, AttributionOptions options, ReadOnlySpan<float> logits) =>
        new(
            model,
            options.Answer is null ? TokenDistribution.Likeliest(logits, 1)[0] : TokenOf(model, options.Answer),
            options.Against is null ? null : TokenOf(model, options.Against));

    /// <summary>How a token is shown.</summary>
    public static string TextOf(Gpt2Model model, int token) => VisibleText.Of(model.Encoder.GetText(token));

    /// <summary>A text that is one token.</summary>
    /// <exception cref="Gpt2Exception">It is not.</exception>
    public static int TokenOf(Gpt2Model model, string text)
    {
        IReadOnlyList<Gpt2Token> tokens = model.Encoder.Tokenize(text, allowSpecial: true, withPrefix: false);
        if (tokens is [Gpt2Token only] && only.Id < model.HyperParameters.NVocab) return only.Id;
        throw new Gpt2Exception(
            Gpt2Error.InvalidToken,
            tokens.Count == 0
                ? "An empty text is not a token; give one such as ' the'."
                : $"'{VisibleText.Of(text)}' is not one token of {model.Name} but {tokens.Count}: "
                    + $"{string.Join(", ", tokens.Select(token => $"'{VisibleText.Of(token.Text)}'"))}; give one token, mostly with a space before the word.");
    }
}
