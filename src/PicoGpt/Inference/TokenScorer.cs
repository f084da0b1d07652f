using PicoGpt.Tokens;

namespace PicoGpt.Inference;

/// <summary>Says of a token what the logits before it do. For any number of threads.</summary>
/// <param name="texts">The tokens' texts.</param>
/// <param name="top">How many of the likeliest tokens are listed.</param>
internal sealed class TokenScorer(TokenTexts texts, int top)
{
    /// <summary>A token's score by the logits before it: [n_vocab].</summary>
    public TokenScore Score(ReadOnlySpan<float> logits, int id)
    {
        var distribution = new TokenDistribution(logits);
        int[] likeliest = distribution.Likeliest(top);
        var alternatives = new TokenAlternative[likeliest.Length];
        for (int i = 0; i < likeliest.Length; i++)
            alternatives[i] = new TokenAlternative(likeliest[i], texts[likeliest[i]], distribution.LogProbabilityOf(likeliest[i]));
        return new TokenScore(distribution.LogProbabilityOf(id), distribution.Entropy, distribution.RankOf(id), alternatives);
    }

    /// <summary>A generated token's record.</summary>
    public GeneratedToken TokenOf(int index, ReadOnlySpan<float> logits, int id)
    {
        TokenScore score = Score(logits, id);
        return new GeneratedToken
        {
            Index = index,
            Id = id,
            Text = texts[id],
            LogProbability = score.LogProbability,
            Rank = score.Rank,
            Entropy = score.Entropy,
            Top = score.Top,
        };
    }
}
