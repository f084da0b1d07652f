using PicoGpt.Tokens;

namespace PicoGpt.Tracing;

/// <summary>Turns logits into predictions: the likeliest tokens, entropy, and how the token fares that follows in the text.</summary>
internal sealed class LogitLens
{
    private readonly BytePairEncoder _encoder;
    private readonly int[] _ids;
    private readonly int _top;
    private readonly Dictionary<int, string> _texts = [];

    public LogitLens(BytePairEncoder encoder, int[] ids, int top)
    {
        (_encoder, _ids, _top) = (encoder, ids, top);
    }

    public LensPrediction Predict(int layer, int position, ReadOnlySpan<float> logits) // [n_vocab]
    {
        float greatest = float.NegativeInfinity;
        foreach (float logit in logits) greatest = MathF.Max(greatest, logit);
        double sum = 0, weighted = 0; // Σ eˣ and Σ x·eˣ, with x from the greatest on
        foreach (float logit in logits)
        {
            double x = (double)logit - greatest, e = Math.Exp(x);
            sum += e;
            weighted += e == 0 ? 0 : x * e;
        }

        double entropy = (Math.Log(sum) - (weighted / sum)) / Math.Log(2);
        LensToken[] top = [.. Likeliest(logits).Select(token => new LensToken(token.Id, TextOf(token.Id), token.Logit, ProbabilityOf(token.Logit)))];
        if (position + 1 == _ids.Length) return new LensPrediction(layer, position, top, entropy, NextProbability: null, NextRank: null);
        int next = _ids[position + 1];
        return new LensPrediction(layer, position, top, entropy, ProbabilityOf(logits[next]), RankOf(logits, next));

        double ProbabilityOf(float logit) => Math.Exp((double)logit - greatest) / sum;
    }

    // A heap of the likeliest so far, its least on top.
    private (int Id, float Logit)[] Likeliest(ReadOnlySpan<float> logits)
    {
        var heap = new PriorityQueue<int, (float Logit, int Id)>(_top + 1);
        for (int id = 0; id < logits.Length; id++)
        {
            float logit = float.IsNaN(logits[id]) ? float.NegativeInfinity : logits[id];
            if (heap.Count < _top) heap.Enqueue(id, (logit, -id));
            else if (heap.TryPeek(out _, out (float Logit, int Id) least) && logit > least.Logit) heap.EnqueueDequeue(id, (logit, -id));
        }

        var likeliest = new (int Id, float Logit)[heap.Count];
        for (int i = likeliest.Length - 1; i >= 0; i--)
        {
            int id = heap.Dequeue();
            likeliest[i] = (id, logits[id]);
        }

        return likeliest;
    }

    private static int RankOf(ReadOnlySpan<float> logits, int id)
    {
        int before = 0;
        for (int other = 0; other < logits.Length; other++)
        {
            if (logits[other] > logits[id] || (logits[other] == logits[id] && other < id)) before++;
        }

        return before + 1;
    }

    // A vocabulary may have fewer tokens than the model has rows for.
    private string TextOf(int id)
    {
        if (_texts.TryGetValue(id, out string? text)) return text;
        try
        {
            return _texts[id] = _encoder.GetText(id);
        }
        catch (Gpt2Exception fault) when (fault.Error == Gpt2Error.InvalidToken)
        {
            return _texts[id] = FormattableString.Invariant($"[{id}]");
        }
    }
}
