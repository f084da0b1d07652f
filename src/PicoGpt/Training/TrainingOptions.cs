using PicoGpt.Machine;
using static PicoGpt.Foundation.Argument;

namespace PicoGpt.Training;

/// <summary>How a model is trained. The defaults suit fine-tuning on a text of a megabyte.</summary>
public sealed record TrainingOptions
{
    /// <summary>Updates of the weights.</summary>
    public int Steps { get; init; } = 200;

    /// <summary>Texts that are read together, each of <see cref="ContextLength"/> tokens.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Tokens of a text; 0 for 256, or the model's context where that is shorter.</summary>
    public int ContextLength { get; init; }

    /// <summary>Batches whose gradients are added for an update.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>The greatest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Steps in which the learning rate rises to it; after them it falls, as half a cosine, to a tenth.</summary>
    public int WarmupSteps { get; init; } = 10;

    /// <summary>AdamW's decay of matrices and embeddings; biases and gains have none.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>How much of the first moment stays at each step.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the second moment stays at each step.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>What AdamW adds to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The greatest norm of the gradient; a longer one is shortened to it. 0 for no limit.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>What the order of the text depends on.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The share of the text, its end, that is held out to validate with: from 0 to below 1.</summary>
    public double ValidationShare { get; init; } = 0.05;

    /// <summary>
    /// The rank of low-rank adapters (LoRA) that are trained in place of the model's weights, which stay as they are; 0 to train the weights.
    /// </summary>
    public int Rank { get; init; }

    /// <summary>What the adapters' part is multiplied by, times the rank; 0 for twice the rank.</summary>
    public double Alpha { get; init; }

    /// <summary>Whether what passes through a block is computed again instead of being kept: less memory and more time, and the same bits.</summary>
    public bool LowMemory { get; init; }

    /// <summary>Threads to compute with; 0 for one per physical core. It changes no bit.</summary>
    public int Threads { get; init; }

    /// <exception cref="Gpt2Exception">A number is out of its range.</exception>
    internal TrainingOptions Validate(int context)
    {
        Require(Steps >= 1, $"{Steps} steps train nothing; take 1 or more.");
        Require(BatchSize is >= 1 and <= 1024, $"A batch of {BatchSize} texts is not possible; take 1 to 1024.");
        Require(GradientAccumulation is >= 1 and <= 65536, $"The gradients of {GradientAccumulation} batches cannot be added; take 1 to 65536.");
        Require(ContextLength >= 0 && ContextLength <= context, $"Texts of {ContextLength} tokens do not fit the model, whose context has {context}; take fewer.");
        long tokens = (long)BatchSize * LengthFor(context) * GradientAccumulation;
        Require(tokens <= int.MaxValue, $"{tokens:N0} tokens a step are not possible; take fewer or shorter texts, or fewer batches a step, for {int.MaxValue:N0} at most.");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), $"A learning rate of {LearningRate} is not possible; take a positive number, such as 1e-4.");
        Require(WarmupSteps >= 0, $"{WarmupSteps} steps of warm-up are not possible; take 0 or more.");
        Require(WeightDecay >= 0 && WeightDecay * LearningRate < 1, $"A weight decay of {WeightDecay} is not possible; take 0 to 1.");
        Require(Beta1 is >= 0 and < 1 && Beta2 is >= 0 and < 1, $"Betas of {Beta1} and {Beta2} are not possible; take numbers from 0 to below 1.");
        Require(Epsilon > 0 && double.IsFinite(Epsilon), $"An epsilon of {Epsilon} is not possible; take a small positive number, such as 1e-8.");
        Require(ClipNorm >= 0, $"A gradient's norm of at most {ClipNorm} is not possible; take 0 for no limit, or more.");
        Require(ValidationShare is >= 0 and < 1, $"A validation share of {ValidationShare} is not possible; take 0 to below 1.");
        Require(Rank is >= 0 and <= 4096, $"A rank of {Rank} is not possible; take 1 to 4096, such as 8, or 0 to train the weights themselves.");
        Require(Alpha >= 0 && double.IsFinite(Alpha) && (Alpha == 0 || Rank > 0), $"An alpha of {Alpha} is not possible with a rank of {Rank}; take 0 for twice the rank, or a positive number.");
        _ = Processors.CountFor(Threads);
        return this with { ContextLength = LengthFor(context) };
    }

    /// <summary>The same, with the steps in which each token of a text is read so often.</summary>
    /// <param name="epochs">How often; more than 0.</param>
    /// <param name="tokens">The tokens of the text, those that are held out included.</param>
    /// <param name="context">The model's context.</param>
    /// <returns>The options.</returns>
    public TrainingOptions ForEpochs(double epochs, int tokens, int context)
    {
        int windows = Math.Max(1, (tokens - HeldOutOf(tokens) - 1) / LengthFor(context));
        return this with { Steps = (int)Math.Clamp(Math.Ceiling(epochs * windows / ((double)BatchSize * GradientAccumulation)), 1, int.MaxValue) };
    }

    /// <summary>How many tokens of a text are held out.</summary>
    internal int HeldOutOf(int tokens) => (int)(tokens * ValidationShare);

    /// <summary>The tokens of a window, for a model.</summary>
    internal int LengthFor(int context) => ContextLength > 0 ? ContextLength : Math.Min(256, context);
}
