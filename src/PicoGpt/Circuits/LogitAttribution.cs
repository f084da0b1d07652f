using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Pictures;

namespace PicoGpt.Circuits;

/// <summary>
/// What every part of a model adds to a token's logit after a text, or to the difference of two tokens' (direct logit attribution). The
/// residual stream is a sum, and the last layer norm, with the scale that it has for this text, and the output projection are linear: the
/// parts add up to the logit (N. Elhage and others, "A mathematical framework for transformer circuits", 2021).
/// </summary>
public static class LogitAttribution
{
    /// <summary>Attributes a logit.</summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The text.</param>
    /// <param name="options">What to attribute; <see langword="null"/> for the likeliest token.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>
    /// A row for each layer, with a column for each head, the bias of the heads' projection, the mlp and its bias; beside it the embeddings,
    /// the bias of the last layer norm, what interventions add by themselves, where there are any, and the logit.
    /// </returns>
    /// <exception cref="Gpt2Exception">
    /// The text does not fit into the context, an answer is not one token, or an intervention cannot be made.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2Grid Of(Gpt2Model model, string text, LogitAttributionOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LogitAttributionOptions();
        return Attribute(model, text, options, TokenOf(model, options.Answer), cancellationToken).Grid;
    }

    /// <summary>Attributes the same logit with interventions and without them.</summary>
    /// <inheritdoc cref="Of"/>
    /// <returns>What adds to the logit after the interventions, and before them; the likeliest token is that before them.</returns>
    public static Gpt2GridPair Compare(Gpt2Model model, string text, LogitAttributionOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        (Gpt2Grid before, int token) = Attribute(model, text, options with { Interventions = [] }, TokenOf(model, options.Answer), cancellationToken);
        return new Gpt2GridPair(Attribute(model, text, options, token, cancellationToken).Grid, before);
    }

    private static int? TokenOf(Gpt2Model model, string? answer)
    {
        ArgumentNullException.ThrowIfNull(model);
        return answer is null ? null : AnswerScore.TokenOf(model, answer);
    }

    private static (Gpt2Grid Grid, int Token) Attribute(
        Gpt2Model model, string text, LogitAttributionOptions options, int? answer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(text);
        Gpt2HyperParameters h = model.HyperParameters;
        var read = new ReadText(model, text, options.AllowSpecial);
        int last = read.Ids.Length - 1;
        int? against = TokenOf(model, options.Against);
        var record = new PassRecord(
            h, read.Ids.Length, ActivationSite.TokenEmbedding, ActivationSite.PositionEmbedding, ActivationSite.Heads, ActivationSite.Mlp, ActivationSite.ResidualAfter);
        using var forward = new Gpt2Forward(model, options.Threads, Kernels.Best) { Hook = HookChain.Of(model, options.Interventions, read.Ids.Length, record) };
        using KeyValueCache cache = forward.NewCache(read.Ids.Length);
        using var context = new Gpt2Context(forward, cache);
        ReadOnlySpan<float> logits = context.Forward(read.Ids, cancellationToken);
        int token = answer ?? TokenDistribution.Likeliest(logits, 1)[0];
        double total = (double)logits[token] - (against is { } other ? logits[other] : 0);
        var direction = new LogitDirection(forward.Parameters, h, token, against, record.At(ActivationSite.ResidualAfter, h.NLayer - 1, last));
        double[][] parts = [.. Enumerable.Range(0, h.NLayer).Select(layer => PartsOf(forward.Parameters.Blocks[layer], layer, last, h, record, direction))];
        List<KeyValuePair<string, double>> others =
        [
            new("wte", direction.Dot(record.At(ActivationSite.TokenEmbedding, IForwardHook.NoLayer, last))),
            new("wpe", direction.Dot(record.At(ActivationSite.PositionEmbedding, IForwardHook.NoLayer, last))),
            new("ln_f bias", direction.Bias),
        ];
        if (options.Interventions.Count > 0) others.Add(new("interventions", total - parts.Sum(row => row.Sum()) - others.Sum(part => part.Value)));
        others.Add(new("logit", total));
        LogitsCheck.RequireFinite(model, parts.SelectMany(row => row).Concat(others.Select(part => part.Value)), options.Interventions.Count > 0);
        string what = $"the logit of '{AnswerScore.TextOf(model, token)}'{(against is { } less ? $" less that of '{AnswerScore.TextOf(model, less)}'" : "")}";
        return (GridOf(model, what, read.Ids.Length, parts, others), token);
    }

    private static Gpt2Grid GridOf(Gpt2Model model, string what, int tokens, double[][] parts, IReadOnlyList<KeyValuePair<string, double>> others) => new()
    {
        Model = model.Name,
        Title = $"What adds to {what}",
        Description = $"What each head, bias and mlp adds to {what} after the last of {tokens} tokens; the parts add up to it.",
        RowName = "layer",
        ColumnName = "part",
        RowLabels = [.. Enumerable.Range(0, parts.Length).Select(layer => $"h{layer}")],
        ColumnLabels = [.. Enumerable.Range(0, model.HyperParameters.NHead).Select(head => $"head {head}"), "attn bias", "mlp", "mlp bias"],
        Values = parts,
        Others = others,
    };

    private static double[] PartsOf(Gpt2Block<PinnedWeight> block, int layer, int position, Gpt2HyperParameters h, PassRecord record, LogitDirection direction)
    {
        double[] parts = new double[h.NHead + 3];
        double[] read = direction.Through(block.Attn.CProj.W); // [n_embd]: what a value that the heads read adds
        ReadOnlySpan<float> z = record.At(ActivationSite.Heads, layer, position);
        for (int i = 0; i < z.Length; i++) parts[i / h.HeadSize] += z[i] * read[i];
        double bias = direction.Dot(block.Mlp.CProj.B);
        parts[h.NHead] = direction.Dot(block.Attn.CProj.B);
        parts[h.NHead + 1] = direction.Dot(record.At(ActivationSite.Mlp, layer, position)) - bias;
        parts[h.NHead + 2] = bias;
        return parts;
    }
}
