using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>Scores all heads of a model by what they look at in repeated random tokens.</summary>
public static class HeadScores
{
    /// <summary>How many random texts are read by default.</summary>
    public const int DefaultTexts = 4;

    /// <summary>How many random tokens a text repeats by default, as far as the context has room for them.</summary>
    public const int DefaultLength = 50;

    /// <summary>Scores all heads.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">How many texts to average over.</param>
    /// <param name="length">How many random tokens each text repeats; 0 for the default.</param>
    /// <param name="seed">The seed of the tokens: the same gives the same scores everywhere.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core. The result does not depend on it.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The scores, by layer and head.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no text, or the length is below 0.</exception>
    /// <exception cref="Gpt2Exception">The context has no room for so many tokens.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<Gpt2HeadScore> Of(
        Gpt2Model model, int texts = DefaultTexts, int length = 0, long seed = 1, int threads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(texts, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Gpt2HyperParameters h = model.HyperParameters;
        int most = (h.NCtx - 1) / 2;
        if (length == 0) length = Math.Min(DefaultLength, most);
        if (length < 2 || length > most)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"{length} tokens, a first one and {length} again do not make a text for {model.Name}, whose context has {h.NCtx} positions; give 2 to {most}.");
        }

        var random = new Random64(unchecked((ulong)seed));
        int begin = model.SpecialIds.Begin ?? 0;
        var scorer = new HeadScorer(h, length);
        using var forward = new Gpt2Forward(model, threads, Kernels.Best) { Hook = scorer };
        using KeyValueCache cache = forward.NewCache((2 * length) + 1);
        using var context = new Gpt2Context(forward, cache);
        for (int text = 0; text < texts; text++)
        {
            int[] half = [.. Enumerable.Range(0, length).Select(_ => (int)(random.NextDouble() * h.NVocab))];
            context.Truncate(0);
            context.Read([begin, .. half, .. half], cancellationToken);
            scorer.EndText();
        }

        Gpt2HeadScore[] scores = [.. Enumerable.Range(0, h.NLayer * h.NHead).Select(i => scorer.ScoreOf(i / h.NHead, i % h.NHead))];
        LogitsCheck.RequireFinite(model, scores.SelectMany(score => (double[])[score.PreviousToken, score.DuplicateToken, score.Induction, score.FirstToken]));
        return scores;
    }
}
