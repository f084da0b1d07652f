namespace PicoGpt.Training;

/// <summary>What a model wrote while it was trained.</summary>
/// <param name="Step">The step after which it wrote it.</param>
/// <param name="Text">The text.</param>
public sealed record TrainingSample(int Step, string Text);
