using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

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
    /// the bias of the last layer norm, and the logit itself.
    /// </returns>
    /// <exception cref="Gpt2Exception">The text does not fit into the context, or an answer is not one token.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2Grid Of(Gpt2Model model, string text, LogitAttributionOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(text);
        options ??= new LogitAttributionOptions();
        Gpt2HyperParameters h = model.HyperParameters;
        var read = new ReadText(model, text, options.AllowSpecial);
        int? answer = options.Answer is null ? null : AnswerScore.TokenOf(model, options.Answer);
        int? against = options.Against is null ? null : AnswerScore.TokenOf(model, options.Against);
        var record = new PassRecord(
            h, read.Ids.Length, ActivationSite.TokenEmbedding, ActivationSite.PositionEmbedding, ActivationSite.Heads, ActivationSite.Mlp, ActivationSite.ResidualAfter);
        using var forward = new Gpt2Forward(model, options.Threads, Kernels.Best) { Hook = record };
        using KeyValueCache cache = forward.NewCache(read.Ids.Length);
        using var context = new Gpt2Context(forward, cache);
        ReadOnlySpan<float> logits = context.Forward(read.Ids, cancellationToken);
        int token = answer ?? TokenDistribution.Likeliest(logits, 1)[0];
        double total = (double)logits[token] - (against is { } other ? logits[other] : 0);
        var direction = new LogitDirection(forward.Parameters, h, token, against, record.At(ActivationSite.ResidualAfter, h.NLayer - 1, read.Ids.Length - 1));
        string shown = VisibleText.Of(model.Encoder.GetText(token));
        string what = against is null ? $"the logit of '{shown}'" : $"the logit of '{shown}' less that of '{VisibleText.Of(options.Against!)}'";
        return new Gpt2Grid
        {
            Model = model.Name,
            Title = $"What adds to {what}",
            Description = $"What each head, bias and mlp adds to {what} after the last of {read.Ids.Length} tokens; the parts add up to it.",
            RowName = "layer",
            ColumnName = "part",
            RowLabels = [.. Enumerable.Range(0, h.NLayer).Select(layer => $"h{layer}")],
            ColumnLabels = [.. Enumerable.Range(0, h.NHead).Select(head => $"head {head}"), "attn bias", "mlp", "mlp bias"],
            Values = [.. Enumerable.Range(0, h.NLayer).Select(layer => PartsOf(forward.Parameters.Blocks[layer], layer, read.Ids.Length - 1, h, record, direction))],
            Others =
            [
                new("wte", direction.Dot(record.At(ActivationSite.TokenEmbedding, IForwardHook.NoLayer, read.Ids.Length - 1))),
                new("wpe", direction.Dot(record.At(ActivationSite.PositionEmbedding, IForwardHook.NoLayer, read.Ids.Length - 1))),
                new("ln_f bias", direction.Bias),
                new("logit", total),
            ],
        };
    }

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
