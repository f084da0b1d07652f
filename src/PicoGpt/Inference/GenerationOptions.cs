using System.Collections.ObjectModel;
using PicoGpt.Machine;
using PicoGpt.Numerics;
using static PicoGpt.Foundation.Argument;

namespace PicoGpt.Inference;

/// <summary>How to generate. The defaults are picoGPT's: greedy, 40 tokens.</summary>
/// <remarks>
/// Logits are changed in this order: bias, repetition penalty, frequency and presence penalties, repeated n-grams; then, in sampled text,
/// temperature, top-k, top-p and min-p.
/// </remarks>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to make, 0 or more.</summary>
    public int MaxTokens { get; init; } = 40;

    /// <summary>0 takes the likeliest token always (greedy); otherwise logits are divided by it before sampling.</summary>
    public float Temperature { get; init; }

    /// <summary>Sample from so many of the likeliest tokens; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Sample from the likeliest tokens whose probabilities just reach this sum; 1 for all.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>
    /// Sample from the tokens that are at least this share as probable as the likeliest one, by the probabilities after the temperature;
    /// 0 for all (N. N. Minh and others, "Turning up the heat: min-p sampling", 2024; transformers' <c>min_p</c>).
    /// </summary>
    public float MinP { get; init; }

    /// <summary>
    /// Tokens that stand in the prompt or in the text already have their logit divided by it where it is positive, and multiplied
    /// where it is negative; 1 changes nothing (N. S. Keskar and others, "CTRL", 2019, in the form that transformers gives it).
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>
    /// Is subtracted from the logit of every token that was generated already (OpenAI's <c>presence_penalty</c>); the prompt does not count.
    /// </summary>
    public float PresencePenalty { get; init; }

    /// <summary>
    /// Is subtracted from the logit of every token as often as it was generated already (OpenAI's <c>frequency_penalty</c>); the prompt does
    /// not count.
    /// </summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>
    /// No sequence of so many tokens comes twice, those of the prompt counted (transformers' <c>no_repeat_ngram_size</c>); 0 for no such rule.
    /// </summary>
    public int NoRepeatNgramSize { get; init; }

    /// <summary>What is added to the logits of tokens, by id; negative infinity forbids a token.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = ReadOnlyDictionary<int, float>.Empty;

    /// <summary>
    /// Keep for each generated token its log-probability and rank, and so many of the likeliest tokens at its place;
    /// <see langword="null"/> keeps nothing.
    /// </summary>
    public int? TopLogProbs { get; init; }

    /// <summary>
    /// How many texts to make of each prompt, which is read once: sampled texts with the seeds <see cref="Seed"/>, <see cref="Seed"/> + 1
    /// and so on, or drawn ones, each of which gives the same text alone; or the best ones of a beam search.
    /// </summary>
    public int Count { get; init; } = 1;

    /// <summary>
    /// Search for the likeliest text with so many beams, as transformers defines it; 1 for no search. It is not sampled, and not guessed.
    /// </summary>
    public int Beams { get; init; } = 1;

    /// <summary>
    /// A found text's score is the sum of its log-probabilities, divided by its length raised to this: more than 0 favours long texts, less
    /// than 0 short ones.
    /// </summary>
    public float LengthPenalty { get; init; } = 1f;

    /// <summary>When a beam search ends.</summary>
    public BeamStopping EarlyStopping { get; init; }

    /// <summary>The seed of the sampling: the same seed gives the same text on every machine; <see langword="null"/> draws one.</summary>
    public long? Seed { get; init; }

    /// <summary>Strings that end the text; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>
    /// Take <c>&lt;|endoftext|&gt;</c> in a prompt for the special token instead of for ordinary characters. Tokens that the files of a model add
    /// to its vocabulary, such as <c>&lt;|SEP|&gt;</c>, are found always.
    /// </summary>
    public bool AllowSpecial { get; init; }

    /// <summary>Keep special tokens in the text, as they are spelled; else they are left out, as by transformers' <c>skip_special_tokens</c>.</summary>
    public bool KeepSpecial { get; init; }

    /// <summary>Go on when the model says <c>&lt;|endoftext|&gt;</c>, or another of its end tokens.</summary>
    public bool IgnoreEndOfText { get; init; }

    /// <summary>What to do when the context is full.</summary>
    public ContextOverflow Overflow { get; init; }

    /// <summary>
    /// Guess tokens and verify them together: from what stands already, and, where a large model runs exactly, by its own Int8 form. That
    /// is faster, and the tokens are the same with and without.
    /// </summary>
    public bool Speculation { get; init; } = true;

    /// <summary>What is done, in this order, to what passes through the model. A model that is changed guesses from the text alone.</summary>
    public IReadOnlyList<ForwardChange> Interventions { get; init; } = [];

    /// <summary>Threads to compute with; 0 for one per physical core. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Guess by a reduced form, from the first step on, and as if passes took what is usual, so that no clock decides: for tests and measurements.</summary>
    internal bool AlwaysShadow { get; init; }

    /// <summary>The reduced form that guesses: for tests and measurements.</summary>
    internal Gpt2Precision ShadowPrecision { get; init; } = Gpt2Precision.Int8;

    /// <summary>What changes what passes through the reduced form: for tests and measurements of wrong guesses.</summary>
    internal IForwardHook? ShadowHook { get; init; }

    /// <summary>
    /// Copy the weights into memory of this process's own whatever it costs, before the first step, or never; by default where it pays. For
    /// tests and measurements.
    /// </summary>
    internal bool? Resident { get; init; }

    /// <summary>The loops to compute with; by default the fastest. For tests and measurements: the result does not depend on it.</summary>
    internal Kernels? Kernels { get; init; }

    /// <summary>Throws when a value is outside its range, or when two contradict each other.</summary>
    /// <exception cref="Gpt2Exception">The sentence says which.</exception>
    internal void Validate(Gpt2Model model)
    {
        int n_vocab = model.HyperParameters.NVocab;
        Require(MaxTokens >= 0, $"MaxTokens is {MaxTokens}; give 0 or more.");
        Require(Temperature >= 0 && float.IsFinite(Temperature), $"Temperature is {Temperature}; give 0 (greedy) or more.");
        Require(TopK >= 0, $"TopK is {TopK}; give 0 (all tokens) or more.");
        Require(TopP is > 0 and <= 1, $"TopP is {TopP}; give more than 0 and at most 1 (all tokens).");
        Require(MinP is >= 0 and <= 1, $"MinP is {MinP}; give 0 (all tokens) to 1.");
        Require(
            RepetitionPenalty > 0 && float.IsFinite(RepetitionPenalty),
            $"RepetitionPenalty is {RepetitionPenalty}; give more than 0, and 1 for none.");
        Require(float.IsFinite(PresencePenalty), $"PresencePenalty is {PresencePenalty}; give a number, and 0 for none.");
        Require(float.IsFinite(FrequencyPenalty), $"FrequencyPenalty is {FrequencyPenalty}; give a number, and 0 for none.");
        Require(NoRepeatNgramSize >= 0, $"NoRepeatNgramSize is {NoRepeatNgramSize}; give 0 (no rule) or more.");
        foreach ((int id, float bias) in LogitBias)
        {
            Require(
                (uint)id < (uint)n_vocab,
                $"LogitBias has the id {id}, but {model.Name} has a vocabulary of {n_vocab} (0 to {n_vocab - 1}).");
            Require(
                bias < float.PositiveInfinity,
                $"LogitBias is {bias} for the id {id}; give a number, or negative infinity to forbid the token.");
        }

        Require(
            TopLogProbs is null || (TopLogProbs >= 0 && TopLogProbs <= n_vocab),
            $"TopLogProbs is {TopLogProbs}, but {model.Name} has a vocabulary of {n_vocab}; give 0 to {n_vocab}.");
        _ = Processors.CountFor(Threads);
        Require(!Stop.Any(string.IsNullOrEmpty), $"A stop string is empty; it would end every text before it begins.");
        ValidateCounts();
    }

    private void ValidateCounts()
    {
        Require(Count >= 1, $"Count is {Count}; give 1 or more.");
        Require(Beams is >= 1 and <= Gpt2Forward.MaxLogits, $"Beams is {Beams}; give 1 (no search) to {Gpt2Forward.MaxLogits}.");
        Require(float.IsFinite(LengthPenalty), $"LengthPenalty is {LengthPenalty}; give a number, and 1 for the mean log-probability.");
        if (Beams == 1)
        {
            Require(Count == 1 || Temperature > 0, $"Count is {Count}, but greedy text is the same every time; give a Temperature, or Beams.");
            Require(
                LengthPenalty == 1 && EarlyStopping == BeamStopping.Heuristic,
                $"LengthPenalty and EarlyStopping choose among beams; give 2 Beams or more.");
            return;
        }

        Require(Count <= Beams, $"Count is {Count}, but a search with {Beams} beams finds no more than {Beams} texts; give more Beams.");
        Require(Temperature == 0, $"A beam search does not sample; leave out the Temperature, or the Beams.");
        Require(Overflow == ContextOverflow.Stop, $"A beam search ends with the context; it cannot slide.");
    }
}
