using PicoGpt.Inference;
using PicoGpt.Pictures;

namespace PicoGpt.Circuits;

/// <summary>
/// What each token of a text contributes to what the model says after it: to a log-probability, or to the difference of two tokens' logits.
/// </summary>
public static class TokenAttribution
{
    /// <summary>Attributes the score of a text to its tokens.</summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The text.</param>
    /// <param name="options">
    /// What to attribute, and how; without two tokens to compare it is a log-probability, of the likeliest token by default.
    /// </param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>One row, with a column for each token, and the scores beside it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The options ask for less than one step.</exception>
    /// <exception cref="Gpt2Exception">
    /// The text does not fit into the context, an answer is not one token, the baseline is not of as many tokens, or a token is to be left out
    /// of a text that has one; or gradients are wanted of a model that is held in less than float32.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2Grid Of(Gpt2Model model, string text, TokenAttributionOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(text);
        options ??= new TokenAttributionOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1, nameof(options));
        var read = new ReadText(model, text, options.AllowSpecial);
        AttributedTokens tokens = options.Method == AttributionMethod.LeaveOneOut
            ? LeaveOneOut.Of(model, read, options, cancellationToken)
            : GradientAttribution.Of(model, read, options, cancellationToken);
        LogitsCheck.RequireFinite(model, tokens.Parts.Concat(tokens.Others.Select(part => part.Value)));
        string score = tokens.Score.Name;
        return new Gpt2Grid
        {
            Model = model.Name,
            Title = $"What each token adds to {score}",
            Description = options.Method switch
            {
                AttributionMethod.GradientTimesInput => $"The gradient of {score} for each token's embedding, times that embedding.",
                AttributionMethod.IntegratedGradients => $"Integrated gradients: all together are the difference of {score} between the text and the baseline.",
                _ => $"How much smaller {score} is without the token.",
            },
            RowName = "text",
            ColumnName = "token",
            RowLabels = ["adds"],
            ColumnLabels = read.Labels,
            Values = [tokens.Parts],
            Others = tokens.Others,
        };
    }
}
