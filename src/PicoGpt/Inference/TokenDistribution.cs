using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>
/// What a model says of the next token: the softmax of its logits over the vocabulary. The greatest logit is taken from all of them
/// first, and the sums are in double precision and in the order of the ids, so that they are the same bits everywhere.
/// </summary>
internal readonly ref struct TokenDistribution
{
    private readonly ReadOnlySpan<float> _logits;
    private readonly float _greatest;
    private readonly double _logSum;

    public TokenDistribution(ReadOnlySpan<float> logits) // [n_vocab]
    {
        _logits = logits;
        _greatest = float.NegativeInfinity;
        foreach (float logit in logits) _greatest = MathF.Max(_greatest, logit);
        double sum = 0, weighted = 0; // Σ eˣ and Σ x·eˣ, with x from the greatest on
        foreach (float logit in logits)
        {
            double x = (double)logit - _greatest, e = PortableMath.Exp(x);
            sum += e;
            weighted += e == 0 ? 0 : x * e;
        }

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
        int rank = 1;
        foreach (float other in _logits[..id])
        {
            if (other >= logit) rank++;
        }

        foreach (float other in _logits[(id + 1)..])
        {
            if (other > logit) rank++;
        }

        return rank;
    }

    /// <summary>The ids of the likeliest tokens, the likeliest first; of equal ones the lower id.</summary>
    public int[] Likeliest(int count)
    {
        if (count == 0) return [];

        // A heap of the likeliest so far, its least on top.
        var heap = new PriorityQueue<int, (float Logit, int Id)>(count + 1);
        for (int id = 0; id < _logits.Length; id++)
        {
            float logit = float.IsNaN(_logits[id]) ? float.NegativeInfinity : _logits[id];
            if (heap.Count < count) heap.Enqueue(id, (logit, -id));
            else if (heap.TryPeek(out _, out (float Logit, int Id) least) && logit > least.Logit) heap.EnqueueDequeue(id, (logit, -id));
        }

        int[] likeliest = new int[heap.Count];
        for (int i = likeliest.Length - 1; i >= 0; i--) likeliest[i] = heap.Dequeue();
        return likeliest;
    }
}
