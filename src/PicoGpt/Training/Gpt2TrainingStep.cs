namespace PicoGpt.Training;

/// <summary>What an update of the weights was.</summary>
public sealed record Gpt2TrainingStep
{
    /// <summary>Its number, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>The mean cross-entropy of its tokens before it, in nats.</summary>
    public required double Loss { get; init; }

    /// <summary>The loss of the first step of the training, in nats: where this one came from.</summary>
    public double FirstLoss { get; init; }

    /// <summary>The mean cross-entropy of the text that is held out, after it, in nats; <see langword="null"/> where it was not measured.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Its learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The norm of the gradient, before it was clipped.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>The tokens that were read for it.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens read in a second, validation left out.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>The time since the training began or was resumed.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>The time that the steps after it will take, at the same speed.</summary>
    public TimeSpan TimeLeft { get; init; }

    /// <summary>What the model wrote after it, where that was asked for.</summary>
    public string? Sample { get; init; }
}
