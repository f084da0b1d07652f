using System.Numerics.Tensors;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Picks the next token from logits: greedy, or by temperature, top-k and top-p (nucleus) sampling.</summary>
internal sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly Random64 _random;
    private readonly int[] _ids;
    private readonly float[] _keys;

    public Sampler(GenerationOptions options, int vocabulary)
    {
        _options = options;
        Seed = options.Seed ?? Random.Shared.NextInt64();
        _random = new Random64((ulong)Seed);
        _ids = options.Temperature == 0 ? [] : new int[vocabulary];
        _keys = options.Temperature == 0 ? [] : new float[vocabulary];
    }

    /// <summary>The seed in use, drawn where none was given.</summary>
    public long Seed { get; }

    /// <summary>The next token: [n_vocab] -> id.</summary>
    public int Next(ReadOnlySpan<float> logits) => _options.Temperature == 0 ? ArgMax(logits) : Sample(logits);

    /// <summary>The first of the greatest elements.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits) => TensorPrimitives.IndexOfMax(logits);

    private int Sample(ReadOnlySpan<float> logits)
    {
        int count = Rank(logits);
        Span<float> p = _keys.AsSpan(0, count);
        float max = -p[0];
        double sum = 0;
        foreach (ref float key in p)
        {
            key = Exponential.Of((-key - max) / _options.Temperature);
            sum += key;
        }

        // The least number of tokens whose probabilities reach TopP, the likeliest one in any case.
        double nucleus = 0;
        int kept = 0;
        while (kept < count && (kept == 0 || nucleus < _options.TopP * sum)) nucleus += p[kept++];

        double draw = _random.NextDouble() * nucleus;
        for (int i = 0; i < kept - 1; i++)
        {
            draw -= p[i];
            if (draw < 0) return _ids[i];
        }

        return _ids[kept - 1];
    }

    // Sorts the tokens by falling logit, equal ones by id, into _ids, and their negated logits into _keys.
    private int Rank(ReadOnlySpan<float> logits)
    {
        int count = logits.Length;
        int k = _options.TopK == 0 ? count : Math.Min(_options.TopK, count);
        float threshold = k == count ? float.NegativeInfinity : KthLargest(logits, k);
        int kept = 0;
        for (int id = 0; id < count; id++)
        {
            if (logits[id] < threshold) continue;
            _ids[kept] = id;
            _keys[kept++] = -logits[id];
        }

        Array.Sort(_keys, _ids, 0, kept, null);
        for (int start = 0, end; start < kept; start = end)
        {
            end = start + 1;
            while (end < kept && _keys[end] == _keys[start]) end++;
            Array.Sort(_ids, start, end - start);
        }

        return Math.Min(k, kept);
    }

    // A heap of the k largest so far; its least is at the root.
    private static float KthLargest(ReadOnlySpan<float> logits, int k)
    {
        var largest = new PriorityQueue<float, float>(k);
        foreach (float logit in logits)
        {
            if (largest.Count < k) largest.Enqueue(logit, logit);
            else if (logit > largest.Peek()) largest.EnqueueDequeue(logit, logit);
        }

        return largest.Peek();
    }
}
