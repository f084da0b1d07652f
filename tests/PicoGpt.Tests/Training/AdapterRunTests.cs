using PicoGpt.Adapters;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Tests.Inference;
using PicoGpt.Training;
using Xunit;

namespace PicoGpt.Tests.Training;

public sealed class AdapterRunTests : IDisposable
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(i => (i * i) % 41)];
    private static readonly TrainingOptions Options =
        new() { Steps = 6, BatchSize = 2, ContextLength = 16, LearningRate = 2e-2, WarmupSteps = 1, Threads = 1, Rank = 3, ValidationShare = 0.1 };

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _files = RandomModel.InFolder(Shapes.Odd);
    private readonly Gpt2Model _model;

    public AdapterRunTests() => _model = Gpt2Model.Open(_files.Path);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
        _files.Dispose();
    }

    [Fact]
    public void A_training_of_adapters_lowers_the_loss_changes_no_weight_and_leaves_an_adapter()
    {
        string folder = _folder.File("mine");
        float[] before = _model.Parameters.Blocks[0].Mlp.CFc.W.ToArray();
        using TrainingRun run = Begin(folder, Options);
        double first = run.Evaluate(TestContext.Current.CancellationToken)!.Value;
        Train(run, 6);
        Assert.True(run.Evaluate(TestContext.Current.CancellationToken) < first - 0.05);
        Assert.Equal(before, _model.Parameters.Blocks[0].Mlp.CFc.W.ToArray());
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors", "training-6.json", "training-6.safetensors"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        string config = File.ReadAllText(Path.Combine(folder, AdapterConfig.FileName));
        Assert.Contains("\"lora_alpha\": 6", config, StringComparison.Ordinal);
        Assert.Contains("attn.c_attn", config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_leaves_nothing()
    {
        string folder = _folder.File("mine"), blocked = Path.Combine(folder, AdapterFile.FileName);
        using TrainingRun run = Begin(folder, Options);
        run.Next(TestContext.Current.CancellationToken);
        Directory.CreateDirectory(blocked); // where the adapter would be, which is written last
        Assert.Throws<Gpt2Exception>(() => run.Save(TestContext.Current.CancellationToken));
        Assert.Equal([blocked], Directory.GetFileSystemEntries(folder));
        Directory.Delete(blocked);
        Train(run, 1);
        Assert.Equal(4, Directory.GetFiles(folder).Length);
    }

    [Fact]
    public void What_was_trained_is_what_is_opened_and_what_an_export_merges()
    {
        string folder = _folder.File("mine"), merged = _folder.File("merged");
        using TrainingRun run = Begin(folder, Options);
        Train(run, 6);
        using Gpt2Model adapted = _model.WithAdapter(folder);
        int[] ids = [.. Tokens.Take(20)];
        using var live = new Gpt2Forward(run.Model, threads: 1, Kernels.Best);
        using KeyValueCache cache = live.NewCache();
        live.Begin();
        live.Add(cache, ids);
        live.Run(TestContext.Current.CancellationToken);
        float[] trained = live.Logits([ids.Length - 1]).Row(0).ToArray();
        double[] opened = PlainForward.Logits(adapted, ids)[^300..], without = PlainForward.Logits(_model, ids)[^300..];
        double off = trained.Zip(opened, (x, y) => Math.Abs(x - y)).Max(), change = trained.Zip(without, (x, y) => Math.Abs(x - y)).Max();
        Assert.True(off < 1e-4 * change, $"{off} of {change}");

        ModelExport.Plan(adapted, merged, "Safetensors").Run(cancellationToken: TestContext.Current.CancellationToken);
        using Gpt2Model exported = Gpt2Model.Open(merged);
        Assert.All(exported.Parameters.Zip(adapted.Parameters), pair => Assert.Equal(pair.Second.ToArray(), pair.First.ToArray()));
        Assert.NotEqual(_model.Parameters.Blocks[1].Attn.CAttn.W.ToArray(), exported.Parameters.Blocks[1].Attn.CAttn.W.ToArray());
    }

    [Fact]
    public void A_training_that_is_resumed_equals_one_that_was_not_interrupted_bit_for_bit()
    {
        string whole = _folder.File("whole"), parts = _folder.File("parts");
        using (TrainingRun run = Begin(whole, Options)) Train(run, 6);
        using (TrainingRun run = Begin(parts, Options)) Train(run, 2);
        using (TrainingRun run = Resume(parts, options => options with { Threads = 2, LowMemory = true })) Train(run, 3);
        Assert.Equal(["training-2.json", "training-5.json"], Directory.GetFiles(parts, "training-*.json").Select(Path.GetFileName).Order());
        using (TrainingRun run = Resume(parts, options => options)) Train(run, 1);
        foreach (string file in (string[])["adapter_model.safetensors", "training-6.safetensors"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, file)), File.ReadAllBytes(Path.Combine(parts, file)));
    }

    [Fact]
    public void Frozen_projections_have_no_adapter_and_PEFT_is_told_which_have()
    {
        string folder = _folder.File("mine");
        using (TrainingRun run = TrainingRun.Begin(_model, folder, Tokens, Options, ["h0/attn/c_attn/w", "h0/attn/c_proj/w", "h1/attn/c_proj/w"])) Train(run, 1);
        string config = File.ReadAllText(Path.Combine(folder, AdapterConfig.FileName));
        Assert.Contains("h.1.attn.c_attn", config, StringComparison.Ordinal);
        Assert.DoesNotContain("attn.c_proj", config, StringComparison.Ordinal);
        using Gpt2Model adapted = _model.WithAdapter(folder);
        Assert.Equal(_model.Parameters.Blocks[0].Attn.CAttn.W.ToArray(), adapted.Parameters.Blocks[0].Attn.CAttn.W.ToArray());
        Assert.NotEqual(_model.Parameters.Blocks[1].Attn.CAttn.W.ToArray(), adapted.Parameters.Blocks[1].Attn.CAttn.W.ToArray());
    }

    [Fact]
    public void A_training_that_is_begun_anew_does_not_resume_an_older_one()
    {
        string folder = _folder.File("mine");
        using (TrainingRun run = Begin(folder, Options)) Train(run, 6);
        using (TrainingRun run = TrainingRun.Begin(_model, folder, Tokens, Options with { Seed = 3 }, overwrite: true)) Train(run, 2);
        using TrainingRun resumed = Resume(folder, options => options);
        Assert.Equal((2, 3UL), (resumed.Step, resumed.Options.Seed));
    }

    [Fact]
    public void What_does_not_go_together_is_refused_in_a_sentence()
    {
        string folder = _folder.File("mine");
        using (TrainingRun run = Begin(folder, Options)) Train(run, 1);
        using TemporaryFolder sibling = RandomModel.InFolder(Shapes.Odd);
        using Gpt2Model opened = Gpt2Model.Open(sibling.Path);
        using Gpt2Model other = opened.Clone();
        other.Parameters.LnF.G.SetValues([.. Enumerable.Repeat(1.5f, 21)]);
        Assert.Contains("another model", Fault(() => TrainingRun.Resume(folder, Tokens, options => options, model: other)), StringComparison.Ordinal);
        Assert.Contains("give the model", Fault(() => TrainingRun.Resume(folder, Tokens, options => options)), StringComparison.Ordinal);
        Assert.Contains("trained on another model of the shape", Fault(() => other.WithAdapter(folder)), StringComparison.Ordinal);
        Assert.Contains("A rank of -1", Fault(() => Begin(_folder.File("new"), Options with { Rank = -1 })), StringComparison.Ordinal);
        Assert.Contains("An alpha of 3", Fault(() => Begin(_folder.File("new"), Options with { Rank = 0, Alpha = 3 })), StringComparison.Ordinal);
        Assert.Contains("holds an adapter, and not a model", Fault(() => Gpt2Model.Open(folder)), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("new")));
    }

    [Fact]
    public void A_checkpoint_that_is_cancelled_leaves_the_one_before_it()
    {
        string folder = _folder.File("mine");
        using TrainingRun run = Begin(folder, Options);
        Train(run, 1);
        run.Next(TestContext.Current.CancellationToken);
        Assert.Throws<OperationCanceledException>(() => run.Save(new CancellationToken(canceled: true)));
        using TrainingRun resumed = Resume(folder, options => options);
        Assert.Equal(1, resumed.Step);
    }

    private static string Fault(Func<IDisposable> work) => Assert.Throws<Gpt2Exception>(() => work().Dispose()).Message;

    private static void Train(TrainingRun run, int steps)
    {
        for (int i = 0; i < steps; i++) run.Next(TestContext.Current.CancellationToken);
        run.Save(TestContext.Current.CancellationToken);
    }

    private TrainingRun Begin(string folder, TrainingOptions options) => TrainingRun.Begin(_model, folder, Tokens, options);

    private TrainingRun Resume(string folder, Func<TrainingOptions, TrainingOptions> change) => TrainingRun.Resume(folder, Tokens, change, model: _model);
}
