using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Circuits;

/// <summary>
/// Leaves out one token of a text after the other: what a token adds is the score of the whole text less that of the text without it. What
/// stands before the token is read once for all.
/// </summary>
internal static class LeaveOneOut
{
    /// <summary>What the tokens of a text add.</summary>
    /// <exception cref="Gpt2Exception">The text has one token, or an answer is not one.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static AttributedTokens Of(Gpt2Model model, ReadText read, TokenAttributionOptions options, CancellationToken cancellationToken)
    {
        int n = read.Ids.Length;
        if (n == 1) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "The text has one token, and nothing would be left without it; give two tokens or more.");
        using var forward = new Gpt2Forward(model, options.Threads, Kernels.Best);
        using KeyValueCache cache = forward.NewCache(n), shorter = forward.NewCache(n);
        using var context = new Gpt2Context(forward, cache);
        float[] beforeLast = context.Forward(read.Ids.AsSpan(0, n - 1), cancellationToken).ToArray();
        ReadOnlySpan<float> logits = context.Forward(read.Ids.AsSpan(n - 1), cancellationToken);
        AnswerScore score = AnswerScore.Of(model, options, logits);
        double whole = score.Of(logits);
        double[] parts = new double[n];
        parts[^1] = whole - score.Of(beforeLast);
        for (int t = 0; t < n - 1; t++)
        {
            shorter.Length = 0;
            shorter.CopyFrom(cache, t);
            using var rest = new Gpt2Context(forward, shorter);
            parts[t] = whole - score.Of(rest.Forward(read.Ids.AsSpan(t + 1), cancellationToken));
            options.Progress?.Invoke((t + 1.0) / (n - 1));
        }

        return new AttributedTokens(score, parts, [new(AttributedTokens.Whole, whole)]);
    }
}
