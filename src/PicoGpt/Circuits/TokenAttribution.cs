using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>
/// What each token of a text contributes to what the model says after it, by leaving it out: the score of the whole text less that of the
/// text without the token. What stands before the token is read once for all.
/// </summary>
public static class TokenAttribution
{
    /// <summary>Attributes the score of a text to its tokens.</summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The text, of two tokens or more.</param>
    /// <param name="options">What to attribute; without two tokens to compare it is a log-probability, of the likeliest token by default.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>One row, with a column for each token, and the score beside it.</returns>
    /// <exception cref="Gpt2Exception">The text has one token or does not fit into the context, or an answer is not one token.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2Grid LeaveOneOut(Gpt2Model model, string text, AttributionOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(text);
        options ??= new AttributionOptions();
        var read = new ReadText(model, text, options.AllowSpecial);
        int n = read.Ids.Length;
        if (n == 1) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "The text has one token, and nothing would be left without it; give two tokens or more.");
        using var forward = new Gpt2Forward(model, options.Threads, Kernels.Best);
        using KeyValueCache cache = forward.NewCache(n), shorter = forward.NewCache(n);
        using var context = new Gpt2Context(forward, cache);
        float[] beforeLast = context.Forward(read.Ids.AsSpan(0, n - 1), cancellationToken).ToArray();
        ReadOnlySpan<float> logits = context.Forward(read.Ids.AsSpan(n - 1), cancellationToken);
        var score = new AnswerScore(model, options.Answer ?? model.Encoder.GetText(TokenDistribution.Likeliest(logits, 1)[0]), options.Against);
        double whole = score.Of(logits);
        double[] without = new double[n];
        for (int t = 0; t < n; t++)
        {
            if (t == n - 1)
            {
                without[t] = whole - score.Of(beforeLast);
                continue;
            }

            shorter.Length = 0;
            shorter.CopyFrom(cache, t);
            using var rest = new Gpt2Context(forward, shorter);
            without[t] = whole - score.Of(rest.Forward(read.Ids.AsSpan(t + 1), cancellationToken));
        }

        return new Gpt2Grid
        {
            Model = model.Name,
            Title = $"What each token adds to {score.Name}",
            Description = $"How much smaller {score.Name} is without the token.",
            RowName = "text",
            ColumnName = "token",
            RowLabels = ["adds"],
            ColumnLabels = read.Labels,
            Values = [without],
            Others = [new("whole text", whole)],
        };
    }
}
