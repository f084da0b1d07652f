using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Measuring;

/// <summary>Scores the token that follows each row, divided by rows.</summary>
internal sealed class ScoreJob(TokenScorer scorer) : Job
{
    private readonly TokenScore[] _scores = new TokenScore[Gpt2Forward.MaxLogits];

    /// <summary>[rows, n_vocab]</summary>
    public Matrix Logits { get; set; }

    /// <summary>The tokens that follow, [rows].</summary>
    public int[] Ids { get; } = new int[Gpt2Forward.MaxLogits];

    /// <summary>The scores, [rows].</summary>
    public ReadOnlySpan<TokenScore> Scores => _scores.AsSpan(0, Logits.Rows);

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Logits.Rows, part, parts);
        for (int row = from; row < to; row++) _scores[row] = scorer.Score(Logits.Row(row), Ids[row]);
    }
}
