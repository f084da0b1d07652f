namespace PicoGpt.Inference;

/// <summary>What a text needs to know to choose what to guess.</summary>
/// <param name="Account">Chooses how far.</param>
/// <param name="Texts">How many texts are under way.</param>
/// <param name="ShadowGuesses">The most tokens that the model's reduced form is to guess; 0 where it is not to, or there is none.</param>
/// <param name="ShadowGain">How many times as fast that is, as it seems.</param>
internal readonly record struct GuessTerms(GuessAccount Account, int Texts, int ShadowGuesses = 0, double ShadowGain = 0);
