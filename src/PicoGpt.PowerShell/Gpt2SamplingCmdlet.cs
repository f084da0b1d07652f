using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using PicoGpt.Inference;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>A command that generates text: how much of it, and how its tokens are chosen.</summary>
public abstract class Gpt2SamplingCmdlet : Gpt2RunCmdlet
{
    private const float Forbidden = float.NegativeInfinity;

    // Fields of the engine's own types would load the engine on import.
    private int _overflow;
    private int _earlyStopping;

    private bool _hasToldTemperature;
    private TokenBias? _bias;

    /// <summary>How many tokens to make at most.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("n_tokens_to_generate", "max_tokens", "MaxToken")]
    [Cell(typeof(int), 40)]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int MaxTokens { get; set; } = 40;

    /// <summary>
    /// 0 always takes the likeliest token; higher values are more varied. Where it is not given, it is 1 with -TopK, -TopP, -MinP, -Seed or
    /// -Count, and 0 without.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Cell(typeof(float))]
    [InRange(0, float.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? Temperature { get; set; }

    /// <summary>Sample from so many of the likeliest tokens; 0 for all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("top_k")]
    [Cell(typeof(int))]
    [InRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int? TopK { get; set; }

    /// <summary>Sample from the likeliest tokens whose probabilities just reach this sum; 1 for all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("top_p")]
    [Cell(typeof(float))]
    [InRange(0, 1, Above = true)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? TopP { get; set; }

    /// <summary>Sample from the tokens that are at least this share as probable as the likeliest one; 0 for all.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("min_p")]
    [Cell(typeof(float))]
    [InRange(0, 1)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? MinP { get; set; }

    /// <summary>The seed of the sampling; the same seed gives the same text on every machine.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Cell(typeof(long))]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public long? Seed { get; set; }

    /// <summary>How many texts to make of each prompt, sampled ones or the best of a beam search.</summary>
    [Parameter] // not a column: many objects have a Count that means something else
    [Alias("num_return_sequences")]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Count { get; set; } = 1;

    /// <summary>Search for the likeliest text with so many beams; 1 for no search.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("num_beams")]
    [Cell(typeof(int), 1)]
    [ValidateRange(1, 64)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Beams { get; set; } = 1;

    /// <summary>Favours long texts of a beam search above 0, short ones below.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("length_penalty")]
    [Cell(typeof(float))]
    [InRange(float.MinValue, float.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? LengthPenalty { get; set; }

    /// <summary>When a beam search ends: Heuristic, AtOnce or Never.</summary>
    [Parameter]
    [Alias("early_stopping")]
    public BeamStopping EarlyStopping { get => (BeamStopping)_earlyStopping; set => _earlyStopping = (int)value; }

    /// <summary>Makes tokens that stand in prompt or text already less likely, above 1; 1 changes nothing.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("repetition_penalty", "repeat_penalty")]
    [Cell(typeof(float))]
    [InRange(0, float.MaxValue, Above = true)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? RepetitionPenalty { get; set; }

    /// <summary>Is taken from the logit of every token that was generated already.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("presence_penalty")]
    [Cell(typeof(float))]
    [InRange(float.MinValue, float.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? PresencePenalty { get; set; }

    /// <summary>Is taken from the logit of every token as often as it was generated already.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("frequency_penalty")]
    [Cell(typeof(float))]
    [InRange(float.MinValue, float.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float? FrequencyPenalty { get; set; }

    /// <summary>No sequence of so many tokens comes twice; 0 for no such rule.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("no_repeat_ngram_size")]
    [Cell(typeof(int))]
    [InRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int? NoRepeatNgramSize { get; set; }

    /// <summary>What is added to the logits of tokens: a table of ids, or of texts of one token, and numbers; $false forbids a token.</summary>
    [Parameter]
    [Alias("logit_bias")]
    public IDictionary? LogitBias { get; set; }

    /// <summary>Keep for each token its log-probability and rank, and so many of the likeliest ones at its place.</summary>
    [Parameter]
    [Alias("top_logprobs")]
    [InRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int? Top { get; set; }

    /// <summary>Strings that end the text.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("StopSequence")]
    [Cell(typeof(string[]))]
    public string[]? Stop { get; set; }

    /// <summary>Go on when the model says <c>&lt;|endoftext|&gt;</c>, or another token that ends its texts.</summary>
    [Parameter]
    public SwitchParameter IgnoreEndOfText { get; set; }

    /// <summary>Keep special tokens, such as <c>&lt;|SEP|&gt;</c>, in the text as they are spelled, instead of leaving them out.</summary>
    [Parameter]
    public SwitchParameter KeepSpecial { get; set; }

    /// <summary>What to do when the context is full: Stop, or Slide, which re-reads the last half of the context and continues.</summary>
    [Parameter]
    public ContextOverflow Overflow { get => (ContextOverflow)_overflow; set => _overflow = (int)value; }

    /// <summary>Do not guess tokens. The text is the same, only slower.</summary>
    [Parameter]
    public SwitchParameter NoSpeculation { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (IsGiven(nameof(Stop)) && Stop is null)
            _ = SetUp<string>(Stop, () => throw Refused("-Stop is empty, which would end every text before it begins; leave it out."));
        base.BeginProcessing();
    }

    /// <summary>How a text is to be generated.</summary>
    /// <param name="input">What the pipeline brought, if anything.</param>
    /// <param name="model">The model.</param>
    /// <param name="last">The options of the text before; given again where they are the same.</param>
    /// <param name="further">What else is asked for.</param>
    /// <returns>The options.</returns>
    /// <exception cref="Gpt2Exception">-LogitBias names what is not a token.</exception>
    private protected GenerationOptions Options(TextInput? input, Gpt2Model model, GenerationOptions? last, GenerationOptions further)
    {
        // A completion has a seed too: that of the text that it is.
        bool isSeedMeant = input is null || input.Row is not null || IsGiven(nameof(Seed));
        long? seed = isSeedMeant ? Seed : null;
        GenerationOptions options = further with
        {
            MaxTokens = MaxTokens,
            Temperature = Temperature ?? ImpliedTemperature(seed),
            TopK = TopK ?? 0,
            TopP = TopP ?? 1,
            MinP = MinP ?? 0,
            Seed = seed,
            Count = Count,
            Beams = Beams,
            LengthPenalty = LengthPenalty ?? 1,
            EarlyStopping = EarlyStopping,
            RepetitionPenalty = RepetitionPenalty ?? 1,
            PresencePenalty = PresencePenalty ?? 0,
            FrequencyPenalty = FrequencyPenalty ?? 0,
            NoRepeatNgramSize = NoRepeatNgramSize ?? 0,
            LogitBias = BiasOf(model),
            TopLogProbs = Top,
            Stop = Stop ?? [],
            AllowSpecial = AllowSpecial,
            IgnoreEndOfText = IgnoreEndOfText,
            KeepSpecial = KeepSpecial,
            Overflow = Overflow,
            Threads = Threads,
            Speculation = !NoSpeculation,
        };
        return last is not null && options with { Stop = last.Stop } == last && options.Stop.SequenceEqual(last.Stop) ? last : options;
    }

    // Whoever asks for a part of the likely tokens, for a seed, or for several texts, wants to sample, as in other tools.
    private float ImpliedTemperature(long? seed)
    {
        string? asked = Asked(seed);
        if (asked is null) return 0;
        if (!_hasToldTemperature) WriteVerbose($"-Temperature is 1, because -{asked} asks for sampling; -Temperature 0 takes the likeliest token always.");
        _hasToldTemperature = true;
        return 1;
    }

    private string? Asked(long? seed)
    {
        if (TopK is not null) return nameof(TopK);
        if (TopP is not null) return nameof(TopP);
        if (MinP is not null) return nameof(MinP);
        if (seed is not null) return nameof(Seed);
        return Count > 1 && Beams == 1 ? nameof(Count) : null;
    }

    private ReadOnlyDictionary<int, float> BiasOf(Gpt2Model model)
    {
        if (LogitBias is not { } given) return ReadOnlyDictionary<int, float>.Empty;
        if (_bias is { } known && ReferenceEquals(known.Model, model) && ReferenceEquals(known.Given, given)) return known.ById;
        Dictionary<int, float> biases = [];
        foreach (DictionaryEntry entry in given)
        {
            int id = IdOf(model, Unwrap(entry.Key)!);
            if (!biases.TryAdd(id, NumberOf(entry))) throw Bad($"names the token {id} twice.");
        }

        _bias = new TokenBias(model, given, new ReadOnlyDictionary<int, float>(biases));
        return _bias.ById;
    }

    // A text that is a number is an id, as in a table read from JSON.
    private static int IdOf(Gpt2Model model, object key)
    {
        if (key is not string text || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return LanguagePrimitives.TryConvertTo(key, CultureInfo.InvariantCulture, out int id)
                ? id
                : throw Bad($"has the key '{key}', which is neither the id of a token nor a text.");
        }

        int[] ids = model.Encoder.Encode(text, allowSpecial: true);
        if (ids is [int only]) return only;
        string tokens = string.Join(" ", ids.Select(id => $"'{model.Encoder.Decode([id])}'"));
        throw Bad($"has the text '{text}', which is {ids.Length} tokens of {model.Name}: {tokens}; give a text that is one token, with its space, or an id.");
    }

    private static float NumberOf(DictionaryEntry entry)
    {
        object? value = Unwrap(entry.Value);
        if (value is false) return Forbidden;
        return value is not (null or bool) && LanguagePrimitives.TryConvertTo(value, CultureInfo.InvariantCulture, out float bias) && bias < float.PositiveInfinity
            ? bias
            : throw Bad($"has '{value}' for '{entry.Key}'; give a number, or $false to forbid the token.");
    }

    private static Gpt2Exception Bad(string what) => new(Gpt2Error.InvalidArgument, $"-LogitBias {what}");

    /// <summary>A table of biases as it was given, and what it means to a model.</summary>
    private sealed record TokenBias(Gpt2Model Model, IDictionary Given, ReadOnlyDictionary<int, float> ById);
}
