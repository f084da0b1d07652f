using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// What a model says of the next token: the softmax of its logits over the vocabulary. The greatest logit is taken from all of them
/// first, and the sums are in double precision, always in eight lanes and in the order of the ids, so that they are the same bits
/// everywhere.
/// </summary>
internal readonly ref struct TokenDistribution
{
    private readonly ReadOnlySpan<float> _logits;
    private readonly float _greatest;
    private readonly double _logSum;

    public TokenDistribution(ReadOnlySpan<float> logits) // [n_vocab]
    {
        _logits = logits;
        _greatest = GreatestOf(logits);
        (double sum, double weighted) = Sums(logits, _greatest);
        _logSum = PortableMath.Log(sum);
        Entropy = (_logSum - (weighted / sum)) / PortableMath.Ln2;
    }

    /// <summary>How undecided the model is, in bits.</summary>
    public double Entropy { get; }

    /// <summary>The natural logarithm of a token's probability.</summary>
    public double LogProbabilityOf(int id) => (double)_logits[id] - _greatest - _logSum;

    /// <summary>A token's probability, from 0 to 1.</summary>
    public double ProbabilityOf(int id) => PortableMath.Exp(LogProbabilityOf(id));

    /// <summary>A token's place among all, 1 for the likeliest; of equal ones the lower id comes first.</summary>
    public int RankOf(int id)
    {
        float logit = _logits[id];
        int above = CountAbove(Padded(_logits), logit);
        foreach (Vector256<float> others in Whole(_logits)) above += CountAbove(others, logit);
        return above + _logits[..id].Count(logit) + 1;
    }

    /// <summary>The ids of the likeliest tokens, the likeliest first; of equal ones the lower id.</summary>
    public int[] Likeliest(int count) => Likeliest(_logits, count);

    /// <summary>The ids of the greatest of some values, the greatest first; of equal ones the lower id.</summary>
    public static int[] Likeliest(ReadOnlySpan<float> logits, int count)
    {
        if (count == 0) return [];

        // A heap of the likeliest so far, its least on top.
        var heap = new PriorityQueue<int, (float Logit, int Id)>(count + 1);
        for (int id = 0; id < logits.Length; id++)
        {
            float logit = float.IsNaN(logits[id]) ? float.NegativeInfinity : logits[id];
            if (heap.Count < count) heap.Enqueue(id, (logit, -id));
            else if (heap.TryPeek(out _, out (float Logit, int Id) least) && logit > least.Logit) heap.EnqueueDequeue(id, (logit, -id));
        }

        int[] likeliest = new int[heap.Count];
        for (int i = likeliest.Length - 1; i >= 0; i--) likeliest[i] = heap.Dequeue();
        return likeliest;
    }

    private static float GreatestOf(ReadOnlySpan<float> logits)
    {
        Vector256<float> greatest = Padded(logits);
        foreach (Vector256<float> some in Whole(logits)) greatest = Vector256.Max(greatest, some);
        float result = greatest[0];
        for (int lane = 1; lane < Vector256<float>.Count; lane++) result = MathF.Max(result, greatest[lane]);
        return result;
    }

    // Σ eˣ and Σ x·eˣ, with x from the greatest on.
    private static (double Sum, double Weighted) Sums(ReadOnlySpan<float> logits, float greatest)
    {
        var sums = default(LaneSums);
        foreach (Vector256<float> some in Whole(logits)) sums.Add(some, greatest);
        sums.Add(Padded(logits), greatest);
        return sums.Total;
    }

    private static int CountAbove(Vector256<float> logits, float logit) =>
        BitOperations.PopCount(Vector256.GreaterThan(logits, Vector256.Create(logit)).ExtractMostSignificantBits());

    private static ReadOnlySpan<Vector256<float>> Whole(ReadOnlySpan<float> logits) => MemoryMarshal.Cast<float, Vector256<float>>(logits);

    // The rest, and beyond it what has no probability.
    private static Vector256<float> Padded(ReadOnlySpan<float> logits)
    {
        int rest = logits.Length % Vector256<float>.Count;
        Span<float> padded = stackalloc float[Vector256<float>.Count];
        padded.Fill(float.NegativeInfinity);
        logits[^rest..].CopyTo(padded);
        return Vector256.Create<float>(padded);
    }

    private struct LaneSums
    {
        private Vector256<double> _sum0, _sum1, _weighted0, _weighted1;

        public readonly (double Sum, double Weighted) Total => (TotalOf(_sum0 + _sum1), TotalOf(_weighted0 + _weighted1));

        public void Add(Vector256<float> logits, float greatest)
        {
            (Vector256<double> x0, Vector256<double> x1) = Vector256.Widen(logits);
            Add(x0 - Vector256.Create((double)greatest), ref _sum0, ref _weighted0);
            Add(x1 - Vector256.Create((double)greatest), ref _sum1, ref _weighted1);
        }

        private static void Add(Vector256<double> x, ref Vector256<double> sum, ref Vector256<double> weighted)
        {
            Vector256<double> e = PortableMath.Exp(x);
            sum += e;
            weighted += Vector256.ConditionalSelect(Vector256.Equals(e, Vector256<double>.Zero), e, x * e); // not −∞ · 0
        }

        private static double TotalOf(Vector256<double> lanes) => lanes[0] + lanes[1] + lanes[2] + lanes[3];
    }
}
