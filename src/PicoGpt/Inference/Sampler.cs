using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>Picks the next token from logits: greedy, or by temperature, top-k, top-p (nucleus) and min-p sampling.</summary>
internal sealed unsafe class Sampler
{
    // So many of the likeliest tokens are ordered first; where they are too few, sixteen times as many.
    private const int FirstRanked = 64;

    private const int Block = 512; // elements that are looked through together for the greatest

    private readonly GenerationOptions _options;
    private readonly Kernels _kernels;
    private readonly float[] _probabilities; // [n_vocab], padded to whole lanes
    private readonly float[] _kept;
    private readonly int[] _ids; // the likeliest first, as far as they are ordered

    public Sampler(GenerationOptions options, int vocabulary, Kernels? kernels = null)
    {
        (_options, _kernels) = (options, kernels ?? Kernels.Best);
        Seed = options.Seed ?? Random.Shared.NextInt64();
        Draws = new Random64((ulong)Seed);
        bool isSampling = options.Temperature > 0;
        _probabilities = isSampling ? GC.AllocateArray<float>(vocabulary + Kernels.Lanes, pinned: true) : [];
        bool isRanking = isSampling && (options.TopK > 0 || options.TopP < 1 || options.MinP > 0);
        _ids = isRanking ? new int[vocabulary] : [];
        _kept = isRanking ? new float[vocabulary] : [];
    }

    /// <summary>The seed in use, drawn where none was given.</summary>
    public long Seed { get; }

    /// <summary>Where the draws come from: one for every token that is sampled.</summary>
    public Random64 Draws { get; }

    /// <summary>The next token: [n_vocab] -> id.</summary>
    public int Next(ReadOnlySpan<float> logits) => Next(logits, Draws);

    /// <summary>The next token by a draw from elsewhere: [n_vocab] -> id.</summary>
    public int Next(ReadOnlySpan<float> logits, Random64 draws) => _options.Temperature == 0 ? ArgMax(logits) : Sample(logits, draws.Next());

    /// <summary>The first of the greatest elements; what is not a number is passed over.</summary>
    /// <remarks>In a new process TensorPrimitives.IndexOfMax takes longer to be compiled than a token may take.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        float greatest = float.NegativeInfinity;
        int from = 0;
        for (int at = 0; at < logits.Length; at += Block)
        {
            float here = Greatest(logits.Slice(at, Math.Min(Block, logits.Length - at)));
            if (here > greatest) (greatest, from) = (here, at);
        }

        while (from < logits.Length && logits[from] != greatest) from++;
        return from < logits.Length ? from : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Greatest(ReadOnlySpan<float> block)
    {
        float greatest = float.NegativeInfinity;
        if (block.Length == Block)
        {
            var lanes = new Vector<float>(greatest);
            foreach (Vector<float> next in MemoryMarshal.Cast<float, Vector<float>>(block)) lanes = Vector.ConditionalSelect(Vector.GreaterThan(next, lanes), next, lanes);
            for (int lane = 0; lane < Vector<float>.Count; lane++) greatest = Math.Max(greatest, lanes[lane]);
            return greatest;
        }

        foreach (float value in block)
        {
            if (value > greatest) greatest = value;
        }

        return greatest;
    }

    private int Sample(ReadOnlySpan<float> logits, ulong race)
    {
        ReadOnlySpan<float> p = Probabilities(logits);
        int winner = _ids.Length == 0 ? ExponentialRace.Winner(p, race) : Among(Kept(logits, p), p, race);
        return winner < 0 ? ArgMax(logits) : winner;
    }

    private ReadOnlySpan<float> Probabilities(ReadOnlySpan<float> logits) // [n_vocab] -> [n_vocab]
    {
        Span<float> p = _probabilities.AsSpan(0, logits.Length);
        TensorPrimitives.Divide(logits, _options.Temperature, p);
        fixed (float* data = _probabilities) _kernels.Softmax(data, logits.Length);
        return p;
    }

    private int Among(int kept, ReadOnlySpan<float> p, ulong race)
    {
        for (int i = 0; i < kept; i++) _kept[i] = p[_ids[i]];
        return ExponentialRace.Winner(_kept.AsSpan(0, kept), _ids.AsSpan(0, kept), race);
    }

    // How many of the likeliest tokens may be taken. They are ordered as far as that shows.
    private int Kept(ReadOnlySpan<float> logits, ReadOnlySpan<float> p)
    {
        int most = _options.TopK == 0 ? logits.Length : Math.Min(_options.TopK, logits.Length);
        for (int ranked = _options.TopK == 0 ? FirstRanked : most; ; ranked *= 16)
        {
            ranked = Math.Min(ranked, most);
            Ranking.Top(logits, _ids.AsSpan(0, ranked));
            int kept = Kept(_ids.AsSpan(0, ranked), p);
            if (kept < ranked || ranked == most) return kept;
        }
    }

    // The least number of tokens whose probabilities reach TopP, and of them those with MinP of the likeliest one's; that one in any case.
    private int Kept(ReadOnlySpan<int> ids, ReadOnlySpan<float> p)
    {
        double all = 0;
        if (_options.TopK == 0) all = 1;
        else foreach (int id in ids) all += p[id];
        float least = _options.MinP * p[ids[0]];
        double nucleus = 0;
        int kept = 0;
        while (kept < ids.Length && (kept == 0 || ((_options.TopP == 1 || nucleus < _options.TopP * all) && p[ids[kept]] >= least)))
            nucleus += p[ids[kept++]];
        return kept;
    }
}
