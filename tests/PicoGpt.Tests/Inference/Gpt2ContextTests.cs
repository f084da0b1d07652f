using System.Text.Json;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class Gpt2ContextTests
{
    private static readonly int[] Prompt = BuiltInModel.Reference.GetProperty("greedy")[0].Ints("prompt_ids");

    public static TheoryData<int> References => [.. Enumerable.Range(0, BuiltInModel.Reference.GetProperty("greedy").GetArrayLength())];

    public static TheoryData<string> Variants => [.. Kernels.All.Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(References))]
    public void Logits_and_greedy_ids_agree_with_an_independent_computation(int index)
    {
        JsonElement reference = BuiltInModel.Reference.GetProperty("greedy")[index];
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        ReadOnlySpan<float> logits = context.Forward(reference.Ints("prompt_ids"));
        double[] expected = reference.Doubles("logits");
        double scale = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], logits[i], 1e-4 * scale);

        foreach (int id in reference.Ints("new_ids"))
        {
            Assert.Equal(id, Sampler.ArgMax(logits));
            logits = context.Forward([id]);
        }
    }

    [Fact]
    public void Logits_of_a_checkpoint_with_odd_sizes_agree_with_its_reference()
    {
        string folder = SharedData.Path("checkpoints/gpt2-toy-keras-gpt-2");
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "reference_logits.json")));
        using Gpt2Model model = Gpt2Model.Open(folder);
        foreach (JsonElement known in reference.RootElement.GetProperty("cases").EnumerateArray())
        {
            using var context = new Gpt2Context(model);
            ReadOnlySpan<float> logits = context.Forward(known.Ints("ids"));
            double[] expected = known.Doubles("logits_last");
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], logits[i], 1e-5);
        }
    }

    [Fact]
    public void The_plain_loop_oracle_agrees()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        float[] logits = new float[Prompt.Length * model.HyperParameters.NVocab];
        context.Forward(Prompt, logits);
        double[] expected = PlainForward.Logits(model, Prompt);
        for (int i = 0; i < logits.Length; i++) Assert.Equal(expected[i], logits[i], 2e-4);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_vector_width_and_thread_count_gives_the_same_bits(string variant)
    {
        int[] ids = LongPrompt()[..70]; // more than one block of keys
        int[] expected = Bits(ids, threads: 1, Kernels.Choose("plain"), portion: ids.Length);
        Assert.Equal(expected, Bits(ids, threads: 1, Kernels.Choose(variant), portion: ids.Length));
        Assert.Equal(expected, Bits(ids, threads: 3, Kernels.Choose(variant), portion: ids.Length));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(150)]
    public void Cached_and_uncached_logits_are_the_same_bits(int portion)
    {
        int[] ids = LongPrompt();
        Assert.Equal(Bits(ids, 2, Kernels.Best, ids.Length), Bits(ids, 2, Kernels.Best, portion));
    }

    [Fact]
    public void Logits_after_every_token_are_the_bits_of_reading_up_to_it()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int[] ids = LongPrompt()[..140];
        int vocabulary = model.HyperParameters.NVocab;
        using var whole = new Gpt2Context(model);
        float[] all = new float[ids.Length * vocabulary];
        whole.Forward(ids, all);
        using var single = new Gpt2Context(model);
        for (int t = 0; t < ids.Length; t++)
            Assert.True(single.Forward(ids.AsSpan(t, 1)).SequenceEqual(all.AsSpan(t * vocabulary, vocabulary)), $"position {t}");
    }

    [Fact]
    public void A_truncated_context_reads_on_as_if_it_had_never_read_further()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        float[] expected = context.Forward(Prompt).ToArray();
        context.Forward([1, 2, 3]);
        context.Truncate(Prompt.Length - 1);
        Assert.Equal(expected, context.Forward(Prompt.AsSpan()[^1..]).ToArray());
    }

    [Fact]
    public void A_full_context_refuses_further_tokens_with_both_numbers()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        context.Forward(LongPrompt());
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => context.Forward(new int[57]));
        Assert.Equal(Gpt2Error.ContextExceeded, fault.Error);
        Assert.Contains("57", fault.Message, StringComparison.Ordinal);
        Assert.Contains("256", fault.Message, StringComparison.Ordinal);
        context.Forward(new int[56]);
        Assert.Equal(256, context.Length);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2048)]
    [InlineData(int.MinValue)]
    public void An_id_outside_the_vocabulary_is_refused_by_name_and_leaves_the_context_as_it_was(int id)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        context.Forward(Prompt);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => context.Forward([1, id]));
        Assert.Equal(Gpt2Error.InvalidToken, fault.Error);
        Assert.Contains($"{id}", fault.Message, StringComparison.Ordinal);
        Assert.Equal(Prompt.Length, context.Length);
    }

    [Fact]
    public void A_cancelled_read_is_forgotten()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        float[] expected = context.Forward(Prompt).ToArray();
        context.Truncate(0);
        Assert.Throws<OperationCanceledException>(() => context.Forward(Prompt, new CancellationToken(canceled: true)));
        Assert.Equal(0, context.Length);
        Assert.Equal(expected, context.Forward(Prompt).ToArray());
    }

    [Fact]
    public void A_context_outlives_its_model()
    {
        Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model);
        float[] expected = context.Forward(Prompt).ToArray();
        model.Dispose();
        context.Truncate(0);
        Assert.Equal(expected, context.Forward(Prompt).ToArray());
        Assert.Throws<ObjectDisposedException>(() => new Gpt2Context(model));
    }

    [Fact]
    public async Task Contexts_of_one_model_run_side_by_side()
    {
        using Gpt2Model model = BuiltInModel.Open();
        int[] ids = LongPrompt();
        float[] Read()
        {
            using var context = new Gpt2Context(model, threads: 2);
            return context.Forward(ids).ToArray();
        }

        float[] expected = Read();
        foreach (float[] logits in await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(Read)))) Assert.Equal(expected, logits);
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32)]
    [InlineData(Gpt2Precision.Int8)]
    public void A_further_token_allocates_nothing(Gpt2Precision precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model.WithPrecision(precision), threads: 1);
        context.Forward(Prompt);
        context.Forward([1]);
        Assert.Contains(0, Enumerable.Range(0, 10).Select(_ => Allocated(context)));
    }

    // What a collection by another thread's doing leaves unused of this thread's share counts as allocated; ten times running is not chance.
    private static long Allocated(Gpt2Context context)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) context.Forward([i]);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static int[] LongPrompt() => [.. Enumerable.Range(0, 200).Select(i => (i * 37) % 2048)];

    private static int[] Bits(int[] ids, int threads, Kernels kernels, int portion)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model, threads, kernels);
        ReadOnlySpan<float> logits = default;
        foreach (int[] part in ids.Chunk(portion)) logits = context.Forward(part);
        return [.. logits.ToArray().Select(BitConverter.SingleToInt32Bits)];
    }
}
