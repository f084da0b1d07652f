using System.Diagnostics.CodeAnalysis;
using PicoGpt.Inference;
using PicoGpt.Intervening;
using PicoGpt.Tokens;

namespace PicoGpt.Tracing;

/// <summary>What passed through a model while it read a text. What was not asked for is <see langword="null"/> or empty.</summary>
public sealed class Gpt2Trace : IRecordedPass
{
    internal Gpt2Trace(string model, string text, IReadOnlyList<Gpt2Token> tokens)
    {
        (Model, Text, Tokens) = (model, text, tokens);
    }

    /// <summary>The name of the model.</summary>
    public string Model { get; }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>Its tokens: <c>n_seq</c> of them, the positions of everything else.</summary>
    public IReadOnlyList<Gpt2Token> Tokens { get; }

    /// <summary>The layers whose attention and logit lens were asked for, from 0.</summary>
    public IReadOnlyList<int> Layers { get; internal init; } = [];

    /// <summary>The heads whose attention was asked for, from 0.</summary>
    public IReadOnlyList<int> Heads { get; internal init; } = [];

    /// <summary>
    /// The attention patterns, <c>Attention[layer][head]</c>: <c>[n_seq, n_seq]</c>, in row t how much position t looks at each position.
    /// A row sums to 1, and what comes after the position is 0. <see langword="null"/> stands for layers and heads that were not asked for.
    /// </summary>
    [SuppressMessage("Performance", "CA1814", Justification = "A pattern is a matrix; scripts index it as one.")]
    public IReadOnlyList<IReadOnlyList<float[,]?>?>? Attention { get; internal init; }

    /// <summary>
    /// What each layer would say next, <c>LogitLens[layer][position]</c>; <see langword="null"/> for layers that were not asked for.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<LensPrediction>?>? LogitLens { get; internal init; }

    /// <summary>
    /// The Euclidean norms of the residual stream, <c>ResidualNorms[i][position]</c>: i = 0 is the sum of the embeddings, i + 1 what leaves
    /// layer i.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<double>>? ResidualNorms { get; internal init; }

    /// <summary>The activations by name, <c>[n_seq, width]</c> each; see <see cref="Gpt2Activations"/>.</summary>
    [SuppressMessage("Performance", "CA1814", Justification = "An activation is a matrix; scripts index it as one.")]
    public IReadOnlyDictionary<string, float[,]> Activations { get; internal init; } = new Dictionary<string, float[,]>();

    /// <summary>What is wrong where something infinite or not a number passed through, with its cause; <see langword="null"/> where nothing is.</summary>
    public Gpt2Exception? Fault { get; internal init; }

    /// <summary>What was done, in this order, to what passed through.</summary>
    public IReadOnlyList<ForwardChange> Interventions { get; internal init; } = [];

    /// <summary>The mean of the attention patterns over some layers and heads of those that were asked for.</summary>
    /// <param name="layer">A layer; <see langword="null"/> for all.</param>
    /// <param name="head">A head; <see langword="null"/> for all.</param>
    /// <returns><c>[n_seq, n_seq]</c>; its rows sum to 1 as well.</returns>
    /// <exception cref="Gpt2Exception">None of these patterns was asked for.</exception>
    [SuppressMessage("Performance", "CA1814", Justification = "A pattern is a matrix; scripts index it as one.")]
    public float[,] MeanAttention(int? layer = null, int? head = null)
    {
        int n = Tokens.Count;
        double[,] sum = new double[n, n];
        int count = 0;
        foreach (float[,] pattern in Patterns(layer, head))
        {
            count++;
            for (int t = 0; t < n; t++)
            {
                for (int j = 0; j <= t; j++) sum[t, j] += pattern[t, j];
            }
        }

        if (count == 0)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, "The trace has no attention of that layer and head; trace the text again with it.");
        }

        float[,] mean = new float[n, n];
        for (int t = 0; t < n; t++)
        {
            for (int j = 0; j <= t; j++) mean[t, j] = (float)(sum[t, j] / count);
        }

        return mean;
    }

    /// <summary>
    /// Saves the trace as one HTML page for a browser, which loads nothing from anywhere: the text, attention by layer and head, the logit
    /// lens and the norms, as far as they were asked for. It is written whole or not at all.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether an existing file may be overwritten.</param>
    /// <exception cref="Gpt2Exception">The file is there, cannot be written, or would be too large for a browser.</exception>
    public void SaveHtml(string path, bool overwrite = false) => SaveHtml(path, new TraceAdditions(), overwrite);

    /// <summary>Saves the trace as a page, with the trace before interventions side by side, and with grids.</summary>
    /// <param name="path">The file.</param>
    /// <param name="additions">What the page shows beside the trace.</param>
    /// <param name="overwrite">Whether an existing file may be overwritten.</param>
    /// <exception cref="Gpt2Exception">
    /// The file is there, cannot be written, or would be too large for a browser; or the other trace is of another text, or did not keep the same.
    /// </exception>
    public void SaveHtml(string path, TraceAdditions additions, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(additions);
        TracePage.Save(this, additions, path, overwrite);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>The patterns of one or all layers and heads, by layer and then by head.</summary>
    internal IEnumerable<float[,]> Patterns(int? layer, int? head) =>
        from l in Layers
        where layer is null || l == layer
        from h in Heads
        where head is null || h == head
        let pattern = Attention?[l]?[h]
        where pattern is not null
        select pattern;
}
