using System.Globalization;
using System.Numerics;
using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Store;

namespace PicoGpt.Cli;

/// <summary>What the command line asks for.</summary>
internal sealed class CommandLine
{
    public const string Usage = """
        picogpt: generates text with GPT-2.

        usage: picogpt [options] [--] PROMPT

          PROMPT              the text to continue; '-' reads it from standard input
          --                  ends the options, for a prompt that begins with a dash
          --model NAME|PATH   3M (built in, the default), 124M, 355M, 774M or 1558M, also as gpt2
                              or openai-community/gpt2 and the like, or a model's folder
          --fetch             download the model, where it is not on this machine
          --head-count N      attention heads, for weights that do not tell it
          --precision P       float32 (exact, the default), float16, bfloat16, int8 or int4
          --max-tokens N      tokens to make (40)
          --temperature T     0 for the likeliest token always (0)
          --top-k K           sample from the K likeliest tokens; 0 for all (0)
          --top-p P           sample from the likeliest tokens that reach the probability P (1)
          --min-p P           sample from the tokens that are at least P as probable as the likeliest (0)
          --seed N            the same seed gives the same text
          --count N           texts to make, sampled ones or the best of a search (1)
          --beams N           search for the likeliest text with N beams (1: no search)
          --length-penalty X  above 1 for longer texts of a search, below 1 for shorter ones (1)
          --repetition-penalty X   above 1 makes what stands already less likely (1)
          --presence-penalty X     taken from the logit of a token that was generated already (0)
          --frequency-penalty X    the same, as often as it was generated (0)
          --no-repeat-ngram N      no N tokens come twice (0: no such rule)
          --logit-bias ID=X        added to the logit of a token; may be given several times
          --stop TEXT         end before this text; may be given several times
          --ignore-eot        continue when the model says <|endoftext|>, or what else ends its texts
          --keep-special      keep special tokens in the text instead of leaving them out
          --slide             continue when the context is full, re-reading its last half
          --threads N         threads to compute with (one per physical core)
          --force             run a model that needs more memory than there is
          --verbose           report timings on standard error
          --help              this text
        """;

    public bool Help { get; private set; }

    public bool Verbose { get; private set; }

    public GenerationOptions Options { get; private set; } = new();

    private string Model { get; set; } = "3M";

    private bool IsModelGiven { get; set; }

    private bool Fetch { get; set; }

    private bool Force { get; set; }

    private Gpt2Precision Precision { get; set; }

    private int? HeadCount { get; set; }

    private string? Prompt { get; set; }

    private bool HasOptionsEnded { get; set; }

    /// <exception cref="Gpt2Exception">An option is unknown, has no value, or a value of the wrong kind.</exception>
    public static CommandLine Parse(string[] arguments)
    {
        var command = new CommandLine();
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out string? word)) command.TakeWhole(word, rest);
        if (command.Prompt is null && !command.Help)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                "there is no prompt; give one, as in: picogpt \"Once upon a time\", or '-' to read it from standard input (--help lists the options).");
        }

        if (command is { Fetch: true, IsModelGiven: false, Prompt: { } name } && ModelCatalog.TryResolve(name, out CatalogModel? meant))
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"--fetch takes no name, and '{name}' would be the prompt; name the model, as in: picogpt --fetch --model {meant.Name} \"Once upon a time\".");
        }

        return command;
    }

    public static string Summary(Gpt2Completion c) => string.Create(
        CultureInfo.InvariantCulture,
        $"{c.Model}: {c.PromptIds.Count} prompt tokens in {c.PrefillDuration.TotalMilliseconds:F0} ms, "
        + $"{c.Ids.Count} new tokens, {c.TokensPerSecond:F1} tokens/s, ended by {c.FinishReason}");

    /// <summary>What is to be said of a prompt that was meant as the path of a file, or <see langword="null"/>.</summary>
    public string? PathAsPrompt => Prompt is { } path && Path.HasExtension(path) && File.Exists(path)
        ? $"the prompt '{path}' is taken as a text, and is the name of a file too; to read the file: picogpt - < {path}"
        : null;

    /// <summary>What is to be said of more threads than there are processors, or <see langword="null"/>.</summary>
    public string? Excess => Processors.ExcessOf(Options.Threads) is { } excess ? Named(excess) : null;

    /// <summary>What went wrong, and by which option it can be mended.</summary>
    public static string Explain(Gpt2Exception fault) => Named(fault.Message).TrimEnd('.') + fault.Error switch
    {
        Gpt2Error.ModelNotCached => " with --fetch, or give --model the path of a folder that has it.",
        Gpt2Error.UnknownHeadCount => " (--head-count).",
        _ => ".",
    };

    // "TopK is -3" is of the engine's options; here it is --top-k.
    private static string Named(string sentence)
    {
        string first = sentence.Split(' ')[0];
        string? option = first == nameof(GenerationOptions.NoRepeatNgramSize) ? "--no-repeat-ngram"
            : typeof(GenerationOptions).GetProperty(first) is null ? null
            : string.Concat(first.Select((letter, at) => char.IsUpper(letter) ? $"{(at == 0 ? "--" : "-")}{char.ToLowerInvariant(letter)}" : $"{letter}"));
        return option is null || sentence == first ? sentence : option + sentence[first.Length..];
    }

    /// <exception cref="Gpt2Exception">There is no such model, it cannot be fetched, or its files are not as they should be.</exception>
    public Gpt2Model OpenModel(CancellationToken cancellationToken = default)
    {
        string path = Path.GetFullPath(Model);
        if (Fetch && ModelCatalog.TryResolve(Model, path, out CatalogModel? model))
            new ModelDownloader(ModelStore.Default).FetchAsync(model, cancellationToken: cancellationToken).GetAwaiter().GetResult();
        return ModelStore.Default.Open(Model, path, Precision, HeadCount, cancellationToken);
    }

    /// <summary>What is to be said of the memory before the model is run, or <see langword="null"/>.</summary>
    /// <exception cref="Gpt2Exception">There is not enough, and nothing says to try anyway.</exception>
    public string? CheckMemory(Gpt2Model model)
    {
        try
        {
            return MemoryCheck.Require(model);
        }
        catch (Gpt2Exception fault) when (fault.Error == Gpt2Error.InsufficientMemory)
        {
            return Force ? fault.Message : throw new Gpt2Exception(fault.Error, $"{fault.Message} Use --force to try anyway.", fault.Path, fault);
        }
    }

    /// <summary>The prompt, or what <paramref name="readInput"/> reads where it is a dash.</summary>
    public string ReadPrompt(Func<string> readInput) => Prompt == "-" ? readInput() : Prompt!;

    // --seed=1 is --seed 1
    private void TakeWhole(string word, Queue<string> rest)
    {
        if (HasOptionsEnded || word is not ['-', '-', ..] || word.IndexOf('=', StringComparison.Ordinal) is not (> 0 and int end))
        {
            Take(word, rest);
            return;
        }

        Queue<string> value = new([word[(end + 1)..]]);
        Take(word[..end], value);
        if (value.Count > 0) throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{word[..end]} takes no value, but was given '{word[(end + 1)..]}'.");
    }

    private void Take(string word, Queue<string> rest)
    {
        if (HasOptionsEnded || word is not ['-', _, ..])
        {
            SetPrompt(word);
            return;
        }

        GenerationOptions o = Options;
        switch (word)
        {
            case "--help" or "-h": Help = true; break;
            case "--verbose": Verbose = true; break;
            case "--model": (Model, IsModelGiven) = (Value(word, rest), true); break;
            case "--fetch": Fetch = true; break;
            case "--force": Force = true; break;
            case "--precision": Precision = PrecisionOf(word, rest); break;
            case "--head-count": HeadCount = Value<int>(word, rest); break;
            case "--max-tokens": Options = o with { MaxTokens = Value<int>(word, rest) }; break;
            case "--temperature": Options = o with { Temperature = Value<float>(word, rest) }; break;
            case "--top-k": Options = o with { TopK = Value<int>(word, rest) }; break;
            case "--top-p": Options = o with { TopP = Value<float>(word, rest) }; break;
            case "--min-p": Options = o with { MinP = Value<float>(word, rest) }; break;
            case "--count": Options = o with { Count = Value<int>(word, rest) }; break;
            case "--beams": Options = o with { Beams = Value<int>(word, rest) }; break;
            case "--length-penalty": Options = o with { LengthPenalty = Value<float>(word, rest) }; break;
            case "--repetition-penalty": Options = o with { RepetitionPenalty = Value<float>(word, rest) }; break;
            case "--presence-penalty": Options = o with { PresencePenalty = Value<float>(word, rest) }; break;
            case "--frequency-penalty": Options = o with { FrequencyPenalty = Value<float>(word, rest) }; break;
            case "--no-repeat-ngram": Options = o with { NoRepeatNgramSize = Value<int>(word, rest) }; break;
            case "--logit-bias": Options = o with { LogitBias = WithBias(o.LogitBias, word, Value(word, rest)) }; break;
            case "--seed": Options = o with { Seed = Value<long>(word, rest) }; break;
            case "--stop": Options = o with { Stop = [.. o.Stop, Value(word, rest)] }; break;
            case "--ignore-eot": Options = o with { IgnoreEndOfText = true }; break;
            case "--keep-special": Options = o with { KeepSpecial = true }; break;
            case "--slide": Options = o with { Overflow = ContextOverflow.Slide }; break;
            case "--threads": Options = o with { Threads = Value<int>(word, rest) }; break;
            case "--": HasOptionsEnded = true; break;
            default:
                throw new Gpt2Exception(
                    Gpt2Error.InvalidArgument, $"there is no option '{word}'; --help lists the options, and a prompt that begins with a dash stands after --.");
        }
    }

    private void SetPrompt(string prompt)
    {
        if (Prompt is not null)
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"there are two prompts, '{Prompt}' and '{prompt}'; put a prompt of several words in quotes.");
        Prompt = prompt;
    }

    private static string Value(string option, Queue<string> rest) =>
        rest.TryDequeue(out string? value) ? value : throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{option} needs a value.");

    private static Gpt2Precision PrecisionOf(string option, Queue<string> rest)
    {
        string text = Value(option, rest);
        string[] names = Enum.GetNames<Gpt2Precision>();
        return names.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? Enum.Parse<Gpt2Precision>(text, ignoreCase: true)
            : throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{option} is one of {string.Join(", ", names)}, but was given '{text}'.");
    }

    private static Dictionary<int, float> WithBias(IReadOnlyDictionary<int, float> biases, string option, string text)
    {
        string[] parts = text.Split('=');
        if (parts is not [string id, string number]
            || !int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int token)
            || !float.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out float bias))
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"{option} needs the id of a token and a number, such as 262=-5 or 262=-Infinity, but was given '{text}'.");
        }

        return new Dictionary<int, float>(biases) { [token] = bias };
    }

    private static T Value<T>(string option, Queue<string> rest)
        where T : INumberBase<T>
    {
        string text = Value(option, rest);
        if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out T? value)) return value; // no commas, of which 7 would be made where 0,7 is meant
        string how = text.Contains(',', StringComparison.Ordinal) ? " with a decimal point and without commas" : "";
        throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{option} needs a number{how}, but was given '{text}'.");
    }
}
