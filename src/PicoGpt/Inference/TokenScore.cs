namespace PicoGpt.Inference;

/// <summary>What the logits before a token say of it.</summary>
internal readonly record struct TokenScore(double LogProbability, double Entropy, int Rank, TokenAlternative[] Top);
