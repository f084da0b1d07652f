using PicoGpt.Inference;
using PicoGpt.Tracing;

namespace PicoGpt.Circuits;

/// <summary>Texts as one vector each: what passes at a site, over their positions.</summary>
internal sealed class PooledTexts
{
    private readonly Gpt2Model _model;
    private readonly string _site;
    private readonly Pooling _pooling;
    private readonly int _threads;

    /// <exception cref="Gpt2Exception">There is no such site.</exception>
    public PooledTexts(Gpt2Model model, string site, Pooling pooling, int threads)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(site);
        (_model, _site, _pooling, _threads) = (model, site, pooling, threads);
        new TraceOptions { Activations = [site] }.Validate(model);
    }

    /// <summary>A text's vector: [width].</summary>
    public double[] Of(string text, CancellationToken cancellationToken)
    {
        float[,] rows = new TextTracer(_model, text, new TraceOptions { Activations = [_site], Threads = _threads }).Trace(cancellationToken).Activations[_site];
        int n = rows.GetLength(0), first = _pooling == Pooling.Last ? n - 1 : 0;
        double[] sum = new double[rows.GetLength(1)];
        for (int t = first; t < n; t++)
        {
            for (int i = 0; i < sum.Length; i++) sum[i] += rows[t, i];
        }

        return [.. sum.Select(value => value / (n - first))];
    }

    /// <summary>The mean of several texts' vectors: [width].</summary>
    public double[] MeanOf(IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        double[] sum = new double[Gpt2Activations.WidthOf(_site, _model.HyperParameters)];
        foreach (string text in texts)
        {
            double[] one = Of(text, cancellationToken);
            for (int i = 0; i < sum.Length; i++) sum[i] += one[i];
        }

        return [.. sum.Select(value => value / texts.Count)];
    }
}
