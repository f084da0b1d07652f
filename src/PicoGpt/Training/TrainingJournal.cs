namespace PicoGpt.Training;

/// <summary>What a checkpoint of a training needs beside weights and moments to continue as if it had not ended.</summary>
/// <param name="Step">The steps that are done; the place in the text follows from it and the seed.</param>
/// <param name="Options">How the model is trained.</param>
/// <param name="Frozen">The names of the weights that stay as they are.</param>
/// <param name="Text">SHA-256 of the text's tokens.</param>
/// <param name="Losses">The loss of every step, in nats.</param>
internal sealed record TrainingJournal(int Step, TrainingOptions Options, string[] Frozen, string Text, double[] Losses);
