using System.Numerics.Tensors;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Picks the next token from logits: greedy, or by temperature, top-k, top-p (nucleus) and min-p sampling.</summary>
internal sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly int[] _ids;
    private readonly float[] _probabilities; // not yet normalized

    public Sampler(GenerationOptions options, int vocabulary)
    {
        _options = options;
        Seed = options.Seed ?? Random.Shared.NextInt64();
        Draws = new Random64((ulong)Seed);
        _ids = options.Temperature == 0 ? [] : new int[vocabulary];
        _probabilities = options.Temperature == 0 ? [] : new float[vocabulary];
    }

    /// <summary>The seed in use, drawn where none was given.</summary>
    public long Seed { get; }

    /// <summary>Where the draws come from: one for every token that is sampled.</summary>
    public Random64 Draws { get; }

    /// <summary>The next token: [n_vocab] -> id.</summary>
    public int Next(ReadOnlySpan<float> logits) => Next(logits, Draws);

    /// <summary>The next token by a draw from elsewhere: [n_vocab] -> id.</summary>
    public int Next(ReadOnlySpan<float> logits, Random64 draws) => _options.Temperature == 0 ? ArgMax(logits) : Sample(logits, draws);

    /// <summary>The first of the greatest elements.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits) => TensorPrimitives.IndexOfMax(logits);

    private int Sample(ReadOnlySpan<float> logits, Random64 draws)
    {
        Ranking.Rank(logits, _ids);
        int count = _options.TopK == 0 ? logits.Length : Math.Min(_options.TopK, logits.Length);
        Span<float> p = _probabilities.AsSpan(0, count);
        float max = logits[_ids[0]];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            p[i] = Exponential.Of((logits[_ids[i]] - max) / _options.Temperature);
            sum += p[i];
        }

        // The least number of tokens whose probabilities reach TopP, the likeliest one in any case.
        double nucleus = 0;
        int kept = 0;
        while (kept < count && (kept == 0 || nucleus < _options.TopP * sum)) nucleus += p[kept++];

        if (_options.MinP > 0)
        {
            while (kept > 1 && p[kept - 1] < _options.MinP * p[0]) kept--;
            nucleus = 0;
            for (int i = 0; i < kept; i++) nucleus += p[i];
        }

        double draw = draws.NextDouble() * nucleus;
        for (int i = 0; i < kept - 1; i++)
        {
            draw -= p[i];
            if (draw < 0) return _ids[i];
        }

        return _ids[kept - 1];
    }
}
