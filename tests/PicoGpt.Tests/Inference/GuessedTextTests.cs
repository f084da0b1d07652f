using System.Globalization;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>
/// Random small models, prompts, options and company: what is said, and how likely it was to the last bit, depends on no guess. Plain text is
/// generated alone, on one thread, with the plain loops; guessed text with others, several threads, and with steps that are cancelled.
/// </summary>
public sealed class GuessedTextTests : IDisposable
{
    private const int Models = 20;
    private const int CasesOfModel = 25;

    // One in so many: threads that wait for each other wait for everything else that the machine does, too.
    private const int CasesOnSeveralThreads = 10;

    private readonly TemporaryFolder _folder = new();
    private int _lookedUp, _lookedUpRight, _shadowed, _shadowedRight, _cancelled;

    public static TheoryData<string> Variants => [.. Kernels.All.Select(k => k.Name)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Variants))]
    public void Hundreds_of_random_cases_say_the_same_with_and_without(string variant)
    {
        var kernels = Kernels.Choose(variant);
        ulong seed = 1000UL * (ulong)kernels.Name.Sum(c => c);
        for (int model = 0; model < Models; model++, seed += CasesOfModel)
        {
            using Gpt2Model tiny = Tiny(seed);
            for (int i = 0; i < CasesOfModel; i++) Compare(tiny, kernels, seed + (ulong)i);
        }

        // Otherwise nothing was tried.
        int cases = Models * CasesOfModel;
        Assert.True(_lookedUpRight > cases / 4 && _lookedUp - _lookedUpRight > cases / 4, $"of {_lookedUp} look-ups {_lookedUpRight} were right");
        Assert.True(_shadowedRight > cases && _shadowed - _shadowedRight > cases / 10, $"of the shadow's {_shadowed} guesses {_shadowedRight} were right");
        Assert.True(_cancelled > cases / 20, $"{_cancelled} steps were cancelled");
    }

    // A failure tells the seed, from which alone everything follows, except when a step is cancelled.
    private void Compare(Gpt2Model tiny, Kernels kernels, ulong seed)
    {
        var random = new Random64(seed * 0x9E3779B97F4A7C15);
        Gpt2Model model = tiny.WithPrecision((Gpt2Precision)Below(random, Enum.GetValues<Gpt2Precision>().Length)); // a view
        string[] prompts = [.. Enumerable.Range(0, Below(random, 3) + 1).Select(_ => Prompt(random))];
        GenerationOptions options = Options(random, model.HyperParameters.NVocab);
        GenerationOptions guessing = options with
        {
            Kernels = kernels,
            Threads = Below(random, CasesOnSeveralThreads) == 0 ? Below(random, 2) + 2 : 1,
            Speculation = true,
            AlwaysShadow = Below(random, 4) > 0,
            ShadowPrecision = Sometimes(random, 3) ? Gpt2Precision.Int8 : Gpt2Precision.Int4, // which is wrong more often
            Resident = Below(random, 2) == 0,
        };
        int together = Below(random, 4) + 1;
        bool isCancelled = Below(random, 4) == 0;
        List<string> plain = [.. prompts.SelectMany(prompt => Alone(model, prompt, options))];
        List<string> guessed = Together(model, prompts, guessing, together, isCancelled ? random : null);
        if (!plain.SequenceEqual(guessed))
        {
            Assert.Fail(
                $"""
                Seed {seed}: {model.Precision}, {model.HyperParameters}, {together} together, cancelled: {isCancelled}, {guessing}
                plain:
                {string.Join('\n', plain)}
                guessed:
                {string.Join('\n', guessed)}
                """);
        }
    }

    private static List<string> Alone(Gpt2Model model, string prompt, GenerationOptions options)
    {
        using var batch = new BatchGenerator(model, options, 1);
        batch.Add(prompt);
        List<string> said = [];
        while (!batch.IsEmpty) said.AddRange(batch.Advance(Cancellation).Select(Said));
        return said;
    }

    private List<string> Together(Gpt2Model model, string[] prompts, GenerationOptions options, int together, Random64? cancelling)
    {
        using var batch = new BatchGenerator(model, options, together);
        foreach (string prompt in prompts) batch.Add(prompt);
        List<string> said = [];
        while (!batch.IsEmpty)
        {
            foreach (Gpt2Completion text in Advance(batch, cancelling))
            {
                said.Add(Said(text));
                _lookedUp += text.LookupDrafted;
                _lookedUpRight += text.LookupAccepted;
                _shadowed += text.ShadowDrafted;
                _shadowedRight += text.ShadowAccepted;
            }
        }

        return said;
    }

    private IReadOnlyList<Gpt2Completion> Advance(BatchGenerator batch, Random64? cancelling)
    {
        if (cancelling is null || Below(cancelling, 4) > 0) return batch.Advance(Cancellation);
        using var stop = new CancellationTokenSource(TimeSpan.FromMicroseconds(Below(cancelling, 200)));
        try
        {
            return batch.Advance(stop.Token);
        }
        catch (OperationCanceledException)
        {
            _cancelled++;
            return [];
        }
    }

    private static string Said(Gpt2Completion text) =>
        $"{string.Join(' ', text.Ids)} {text.FinishReason} {text.Fault?.Message} {text.Text} {string.Join(' ', text.Tokens.Select(Bits))}";

    private static string Bits(GeneratedToken token) =>
        $"{BitConverter.DoubleToInt64Bits(token.LogProbability):x}:{token.Rank}:{string.Join(',', token.Top.Select(top => top.Id))}";

    private static GenerationOptions Options(Random64 random, int n_vocab)
    {
        GenerationOptions options = new()
        {
            MaxTokens = Below(random, 24),
            Overflow = (ContextOverflow)Below(random, 2),
            IgnoreEndOfText = Sometimes(random, 2),
            RepetitionPenalty = Sometimes(random, 5) ? 0.7f + (Below(random, 10) / 10f) : 1,
            PresencePenalty = Sometimes(random, 5) ? (Below(random, 10) / 5f) - 1 : 0,
            FrequencyPenalty = Sometimes(random, 5) ? (Below(random, 10) / 5f) - 1 : 0,
            NoRepeatNgramSize = Sometimes(random, 5) ? 1 + Below(random, 3) : 0,
            LogitBias = Sometimes(random, 4) ? Biases(random, n_vocab) : new GenerationOptions().LogitBias,
            TopLogProbs = Sometimes(random, 2) ? Below(random, 4) : null,
            Stop = Sometimes(random, 4) ? ["a", "bc", "\uFFFD\uFFFD"] : [],
            Threads = 1,
            Kernels = Kernels.All[^1],
            Speculation = false,
            Resident = false,
        };
        if (Sometimes(random, 3)) return options;
        return options with
        {
            Temperature = Sometimes(random, 2) ? 0.01f * (1 + Below(random, 10)) : 0.5f + (Below(random, 10) / 10f), // a low one has it depend on small differences
            TopK = Sometimes(random, 3) ? 1 + Below(random, n_vocab) : 0,
            TopP = Sometimes(random, 3) ? 0.1f + (0.1f * Below(random, 9)) : 1,
            MinP = Sometimes(random, 4) ? 0.1f * Below(random, 10) : 0,
            Seed = (long)random.Next(),
            Count = Sometimes(random, 4) ? 2 : 1,
        };
    }

    // One letter is likely, so that texts repeat themselves; some are forbidden.
    private static Dictionary<int, float> Biases(Random64 random, int n_vocab)
    {
        Dictionary<int, float> biases = new() { [Below(random, n_vocab)] = Below(random, 3) };
        for (int i = 0; i < 5; i++) biases[Below(random, n_vocab)] = float.NegativeInfinity;
        return biases;
    }

    private static bool Sometimes(Random64 random, int oneIn) => Below(random, oneIn) == 0;

    private static int Below(Random64 random, int end) => (int)(random.Next() % (ulong)end);

    private static string Prompt(Random64 random) => new([.. Enumerable.Range(0, Below(random, 20)).Select(_ => (char)('a' + Below(random, 3)))]);

    private Gpt2Model Tiny(ulong seed)
    {
        var random = new Random64(seed);
        int heads = Below(random, 5) + 1;
        int context = 20 + Below(random, 30);
        var shape = new Gpt2HyperParameters(257 + Below(random, 40), context, heads * (1 + Below(random, 9)), heads, 1 + Below(random, 2));
        string path = Path.Combine(_folder.Path, seed.ToString(CultureInfo.InvariantCulture));
        RandomModel.Write(path, shape, seed);
        return Gpt2Model.Open(path);
    }
}
