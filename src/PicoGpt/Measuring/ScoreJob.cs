using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Measuring;

/// <summary>Scores the token that follows each row, divided by rows.</summary>
internal sealed class ScoreJob(TokenTexts texts, int top) : Job
{
    private readonly TokenScore[] _scores = new TokenScore[Gpt2Forward.MostLogits];

    /// <summary>[rows, n_vocab]</summary>
    public Matrix Logits { get; set; }

    /// <summary>The tokens that follow, [rows].</summary>
    public int[] Ids { get; } = new int[Gpt2Forward.MostLogits];

    /// <summary>The scores, [rows].</summary>
    public ReadOnlySpan<TokenScore> Scores => _scores.AsSpan(0, Logits.Rows);

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Logits.Rows, part, parts);
        for (int row = from; row < to; row++) _scores[row] = Score(Logits.Row(row), Ids[row]);
    }

    private TokenScore Score(ReadOnlySpan<float> logits, int id)
    {
        var distribution = new TokenDistribution(logits);
        int[] likeliest = distribution.Likeliest(top);
        var alternatives = new TokenAlternative[likeliest.Length];
        for (int i = 0; i < likeliest.Length; i++)
            alternatives[i] = new TokenAlternative(likeliest[i], texts[likeliest[i]], distribution.LogProbabilityOf(likeliest[i]));
        return new TokenScore(distribution.LogProbabilityOf(id), distribution.Entropy, distribution.RankOf(id), alternatives);
    }
}
