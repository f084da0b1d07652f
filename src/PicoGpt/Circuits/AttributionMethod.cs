namespace PicoGpt.Circuits;

/// <summary>How what a model says is attributed to the tokens of its text.</summary>
public enum AttributionMethod
{
    /// <summary>The text is read without each token in turn.</summary>
    LeaveOneOut,

    /// <summary>The gradient of the score for each token's embedding, times that embedding (A. Shrikumar and others, "Not just a black box", 2016).</summary>
    GradientTimesInput,

    /// <summary>
    /// The mean gradient on the straight way from a baseline to the text's embeddings, times the way (M. Sundararajan and others, "Axiomatic
    /// attribution for deep networks", 2017). What it gives the tokens adds up to the difference of the scores.
    /// </summary>
    IntegratedGradients,
}
