using PicoGpt.Inference;
using PicoGpt.Tokens;

namespace PicoGpt.Tracing;

/// <summary>Turns logits into predictions: the likeliest tokens, entropy, and how the token fares that follows in the text.</summary>
internal sealed class LogitLens(Tokenizer encoder, int[] ids, int top)
{
    private readonly TokenTexts _texts = new(encoder);

    public LensPrediction Predict(int layer, int position, ReadOnlySpan<float> logits) // [n_vocab]
    {
        var distribution = new TokenDistribution(logits);
        int[] likeliest = distribution.Likeliest(top);
        var tokens = new LensToken[likeliest.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            int id = likeliest[i];
            tokens[i] = new LensToken(id, _texts[id], logits[id], distribution.ProbabilityOf(id));
        }

        double entropy = distribution.Entropy;
        if (position + 1 == ids.Length) return new LensPrediction(layer, position, tokens, entropy, NextProbability: null, NextRank: null);
        int next = ids[position + 1];
        return new LensPrediction(layer, position, tokens, entropy, distribution.ProbabilityOf(next), distribution.RankOf(next));
    }
}
