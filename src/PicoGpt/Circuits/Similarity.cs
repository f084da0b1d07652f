using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Pictures;
using PicoGpt.Tokens;

namespace PicoGpt.Circuits;

/// <summary>Cosine similarities of tokens, of texts, and of tokens with a direction.</summary>
public static class Similarity
{
    /// <summary>How similar tokens are in <c>wte</c>.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">Texts that are one token each.</param>
    /// <returns>A row and a column for each.</returns>
    /// <exception cref="Gpt2Exception">A text is not one token.</exception>
    public static Gpt2Grid OfTokens(Gpt2Model model, IReadOnlyList<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokens);
        double[][] rows =
            [.. tokens.Select(token => model.Parameters.Wte.Row(AnswerScore.TokenOf(model, token)).ToArray().Select(value => (double)value).ToArray())];
        return GridOf(model, "Cosine similarity of tokens in wte", "1 for the same direction of the embeddings, 0 for none in common.", "token", tokens, rows);
    }

    /// <summary>How similar texts are at a site.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">The texts.</param>
    /// <param name="site">The name of the site, such as <c>h3/resid_post</c>.</param>
    /// <param name="pooling">How the positions of a text become one.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>A row and a column for each.</returns>
    /// <exception cref="Gpt2Exception">There is no such site, or a text does not fit into the context.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2Grid OfTexts(
        Gpt2Model model, IReadOnlyList<string> texts, string site, Pooling pooling = default, int threads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var pooled = new PooledTexts(model, site, pooling, threads);
        double[][] rows = [.. texts.Select(text => pooled.Of(text, cancellationToken))];
        string how = pooling == Pooling.Last ? "at the last position" : "as the mean over the positions";
        return GridOf(model, $"Cosine similarity of texts at {site}", $"What stands at {site}, {how}: 1 for the same direction, 0 for none in common.", "text", texts, rows);
    }

    /// <summary>The tokens whose logits a direction of the residual stream raises, by the cosine with their rows of the output projection.</summary>
    /// <param name="model">The model.</param>
    /// <param name="direction">The direction, <c>[n_embd]</c>.</param>
    /// <param name="count">How many.</param>
    /// <returns>The nearest first; of equal ones the lower id.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1.</exception>
    /// <exception cref="Gpt2Exception">The direction has not as many values as the residual stream, or nothing but zeros.</exception>
    public static IReadOnlyList<Gpt2NearestToken> NearestTokens(Gpt2Model model, IReadOnlyList<float> direction, int count = 10)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(direction);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Gpt2HyperParameters h = model.HyperParameters;
        if (direction.Count != h.NEmbd)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"The direction has {direction.Count} values, but the residual stream of {model.Name} has {h.NEmbd}; give as many.");
        }

        double[] wanted = [.. direction.Select(value => (double)value)];
        if (Norm(wanted) is 0 or double.NaN) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "The direction is zero or not a number, and leads nowhere.");
        var texts = new TokenTexts(model.Encoder);
        ReadOnlySpan<float> head = model.Parameters.LmHead.Values.Span; // [n_vocab, n_embd]
        double[] dots = new double[h.NVocab], similarities = new double[h.NVocab];
        for (int id = 0; id < h.NVocab; id++)
        {
            double dot = 0, square = 0;
            ReadOnlySpan<float> row = head.Slice(id * h.NEmbd, h.NEmbd);
            for (int i = 0; i < row.Length; i++) (dot, square) = (dot + (row[i] * wanted[i]), square + ((double)row[i] * row[i]));
            (dots[id], similarities[id]) = (dot, square == 0 ? 0 : dot / Math.Sqrt(square) / Norm(wanted));
        }

        return
        [
            .. Enumerable.Range(0, h.NVocab).OrderByDescending(id => similarities[id]).ThenBy(id => id).Take(count)
                .Select(id => new Gpt2NearestToken(id, texts[id], similarities[id], dots[id])),
        ];
    }

    private static Gpt2Grid GridOf(Gpt2Model model, string title, string description, string what, IReadOnlyList<string> names, double[][] rows)
    {
        LogitsCheck.RequireFinite(model, rows.SelectMany(row => row));
        return new Gpt2Grid
        {
            Model = model.Name,
            Title = title,
            Description = description,
            RowName = what,
            ColumnName = what,
            RowLabels = [.. names.Select(name => VisibleText.Of(name))],
            ColumnLabels = [.. names.Select(name => VisibleText.Of(name))],
            Values = [.. rows.Select(row => rows.Select(other => Cosine(row, other)).ToArray())],
        };
    }

    private static double Cosine(double[] a, double[] b)
    {
        double dot = 0;
        for (int i = 0; i < a.Length; i++) dot += a[i] * b[i];
        return dot == 0 ? 0 : dot / (Norm(a) * Norm(b));
    }

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));
}
