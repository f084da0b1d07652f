namespace PicoGpt.Training;

/// <summary>How well a model predicts a text that is held out.</summary>
/// <param name="Step">The step after which it was measured.</param>
/// <param name="Loss">The mean cross-entropy of a token, in nats.</param>
public sealed record ValidationLoss(int Step, double Loss);
