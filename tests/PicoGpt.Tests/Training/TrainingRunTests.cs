using System.Globalization;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Training;
using Xunit;

namespace PicoGpt.Tests.Training;

public sealed class TrainingRunTests : IDisposable
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(i => (i * i) % 41)];
    private static readonly TrainingOptions Options = new() { Steps = 6, BatchSize = 2, ContextLength = 16, LearningRate = 1e-2, Threads = 1 };

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _model = RandomModel.InFolder(Shapes.Odd);

    public void Dispose()
    {
        _folder.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void A_training_that_is_resumed_equals_one_that_was_not_interrupted_bit_for_bit()
    {
        string whole = _folder.File("whole"), parts = _folder.File("parts");
        using (TrainingRun run = Begin(whole, Options)) Train(run, 6);
        using (TrainingRun run = Begin(parts, Options)) Train(run, 2);
        using (TrainingRun run = TrainingRun.Resume(parts, Tokens, options => options with { Threads = 2, LowMemory = true })) Train(run, 3);
        using (TrainingRun run = TrainingRun.Resume(parts, Tokens, options => options)) Train(run, 1);
        Assert.Equal(File.ReadAllBytes(Data(whole)), File.ReadAllBytes(Data(parts)));

        static string Data(string folder) => Path.Combine(folder, "model-6.data-00000-of-00001");
    }

    [Fact]
    public void The_folder_is_a_model_with_the_moments_by_TensorFlows_names_and_keeps_two_checkpoints()
    {
        string folder = _folder.File("mine");
        using TrainingRun run = Begin(folder, Options);
        for (int i = 0; i < 4; i++) Train(run, 1);
        using Gpt2Model model = Gpt2Model.Open(folder);
        Assert.Equal(run.Model.Parameters.Wte.ToArray(), model.Parameters.Wte.ToArray());
        Assert.Equal("Once", model.Encoder.Decode(model.Encoder.Encode("Once")));
        using TensorBundle bundle = TensorBundle.Open(folder);
        string[] names = [.. bundle.Entries.Select(entry => entry.Name)];
        foreach (string name in (string[])["model/wte/Adam", "model/h1/mlp/c_fc/w/Adam_1", "beta1_power", "beta2_power", "global_step"]) Assert.Contains(name, names);
        Assert.Equal(["model-3.index", "model-4.index"], Directory.GetFiles(folder, "*.index").Select(Path.GetFileName).Order());
        Assert.Equal(["training-3.json", "training-4.json"], Directory.GetFiles(folder, "training-*").Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFiles(folder, "*.tmp"));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_is_refused_before_the_first_step()
    {
        File.WriteAllText(_folder.File("file"), "");
        string below = _folder.File("file/a/b");
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Begin(below, Options).Dispose());
        Assert.Equal((Gpt2Error.Unwritable, below), (fault.Error, fault.Path));
        Begin(_folder.File("new/folder"), Options).Dispose();
        Assert.Equal([_folder.File("file")], Directory.GetFileSystemEntries(_folder.Path)); // where nothing was trained nothing is made
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_leaves_nothing_and_names_the_one_before_it()
    {
        string folder = _folder.File("mine"), blocked = Path.Combine(folder, "training-1.json");
        using TrainingRun run = Begin(folder, Options);
        run.Next(TestContext.Current.CancellationToken);
        Directory.CreateDirectory(blocked); // where the journal would be
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => run.Save(TestContext.Current.CancellationToken));
        Assert.DoesNotContain("checkpoint of step", fault.Message, StringComparison.Ordinal);
        Assert.Equal([blocked], Directory.GetFileSystemEntries(folder));
        Directory.Delete(blocked);
        run.Save(TestContext.Current.CancellationToken);
        string[] before = Directory.GetFileSystemEntries(folder);
        run.Next(TestContext.Current.CancellationToken);
        string next = Directory.CreateDirectory(Path.Combine(folder, "training-2.json")).FullName;
        fault = Assert.Throws<Gpt2Exception>(() => run.Save(TestContext.Current.CancellationToken));
        Assert.EndsWith(": the checkpoint of step 1 stays, from which the training can be resumed.", fault.Message, StringComparison.Ordinal);
        Assert.Equal([.. before.Append(next).Order()], Directory.GetFileSystemEntries(folder).Order());
    }

    [Fact]
    public void The_number_of_threads_is_not_taken_from_the_folder()
    {
        string folder = _folder.File("mine");
        using (TrainingRun run = Begin(folder, Options)) Train(run, 1);
        string journal = Path.Combine(folder, "training-1.json");
        File.WriteAllText(journal, File.ReadAllText(journal).Replace("\"Threads\": 1", "\"Threads\": 2000000000", StringComparison.Ordinal));
        using TrainingRun resumed = TrainingRun.Resume(folder, Tokens, options => options);
        Assert.Equal(0, resumed.Options.Threads);
    }

    [Fact]
    public void Another_text_and_other_options_are_refused()
    {
        string folder = _folder.File("mine");
        using (TrainingRun run = Begin(folder, Options)) Train(run, 1);
        Assert.Contains("another text", Fault(() => TrainingRun.Resume(folder, Tokens.AsMemory(1), options => options)), StringComparison.Ordinal);
        Assert.Contains("begun with other options: BatchSize 2, Seed 1; leave", Fault(() => TrainingRun.Resume(folder, Tokens, options => options with { Seed = 9, BatchSize = 1 })), StringComparison.Ordinal);
        Assert.Contains("begun with other options: no frozen weights; leave", Fault(() => TrainingRun.Resume(folder, Tokens, options => options, ["wte"])), StringComparison.Ordinal);
        Assert.Contains("another text", Fault(() => TrainingRun.Resume(folder, Tokens, options => options, validation: Tokens)), StringComparison.Ordinal);
        Assert.Contains("already exists", Fault(() => Begin(folder, Options)), StringComparison.Ordinal);
        Assert.Contains("journal", Fault(() =>
        {
            File.WriteAllText(Path.Combine(folder, "training-1.json"), "{}");
            return TrainingRun.Resume(folder, Tokens, options => options);
        }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_training_that_is_begun_anew_replaces_the_shape_and_vocabulary_of_another_model()
    {
        string folder = _folder.File("mine");
        RandomModel.Write(folder, Shapes.Odd with { NVocab = 301 });
        using Gpt2Model model = Gpt2Model.Open(_model.Path);
        using (TrainingRun run = TrainingRun.Begin(model, folder, Tokens, Options, overwrite: true)) Train(run, 1);
        using Gpt2Model trained = Gpt2Model.Open(folder);
        Assert.Equal(300, trained.HyperParameters.NVocab);
        Assert.Equal(300, trained.Encoder.Count);
    }

    [Fact]
    public void A_checkpoint_that_is_cancelled_leaves_the_one_before_it()
    {
        string folder = _folder.File("mine");
        using TrainingRun run = Begin(folder, Options);
        Train(run, 1);
        run.Next(TestContext.Current.CancellationToken);
        Assert.Throws<OperationCanceledException>(() => run.Save(new CancellationToken(canceled: true)));
        using TrainingRun resumed = TrainingRun.Resume(folder, Tokens, options => options);
        Assert.Equal(1, resumed.Step);
    }

    [Fact]
    public void A_text_to_validate_with_that_is_given_apart_changes_no_weight()
    {
        using TrainingRun without = Begin(_folder.File("one"), Options with { ValidationShare = 0 });
        using Gpt2Model model = Gpt2Model.Open(_model.Path);
        using TrainingRun run = TrainingRun.Begin(model, _folder.File("two"), Tokens, Options, validation: Tokens.AsMemory(0, 100));
        Train(without, 2);
        Train(run, 2);
        Assert.Equal(without.Losses, run.Losses);
        Assert.Null(without.Evaluate(TestContext.Current.CancellationToken));
        double loss = run.Evaluate(TestContext.Current.CancellationToken)!.Value;
        Assert.Equal([new ValidationLoss(2, loss)], run.Validations);
        string fault = Fault(() => TrainingRun.Begin(model, _folder.File("three"), Tokens, Options, validation: Tokens.AsMemory(0, 9)));
        Assert.StartsWith("The text to validate with has 9 tokens, too few", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void The_checkpoint_of_the_least_validation_loss_is_kept_and_can_become_the_folders()
    {
        string folder = _folder.File("mine");
        using Gpt2Model model = Gpt2Model.Open(_model.Path);
        int[] other = [.. Tokens.Reverse()];
        int best;
        using (TrainingRun run = TrainingRun.Begin(model, folder, Tokens, Options with { Steps = 12, LearningRate = 3e-3, WarmupSteps = 0 }, validation: other))
        {
            for (int i = 0; i < 8; i++)
            {
                run.Next(TestContext.Current.CancellationToken);
                if (i < 3) run.Evaluate(TestContext.Current.CancellationToken);
                run.AddSample($"after {run.Step}");
                run.Save(TestContext.Current.CancellationToken);
            }

            best = run.Best!.Step;
            Assert.InRange(best, 1, 3);
            Assert.Equal([best, 7, 8], Kept(folder));
            Assert.Equal(best, run.ReturnToBest());
        }

        Assert.Equal([best], Kept(folder));
        using TrainingRun resumed = TrainingRun.Resume(folder, Tokens, options => options, validation: other);
        Assert.Equal(best, resumed.Step);
        Assert.Equal(best, resumed.Losses.Count);
        Assert.Equal($"after {best}", resumed.Samples[^1].Text);
        Assert.Equal(resumed.Best!.Loss, resumed.Evaluate(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_loss_that_explodes_ends_the_training_and_leaves_the_checkpoint_before_it()
    {
        string folder = _folder.File("mine");
        using TrainingRun run = Begin(folder, Options with { Steps = 100, LearningRate = 3, WarmupSteps = 60, ClipNorm = 0 });
        Train(run, 1);
        string fault = Assert.Throws<Gpt2Exception>(() => Train(run, 99)).Message;
        Assert.Matches("^The loss has exploded: the mean of 10 steps rose from .* the checkpoint of step 1 stays. Begin again with a smaller learning rate than 3, such as 0.3.$", fault);
        run.Save(TestContext.Current.CancellationToken);
        Assert.Equal([1], Kept(folder));
    }

    [Theory]
    [InlineData(1, 12)] // 600 tokens, 30 of them held out: 35 windows of 16 in batches of 3
    [InlineData(0.01, 1)]
    [InlineData(2.5, 30)]
    public void Epochs_are_told_in_steps(double epochs, int steps) =>
        Assert.Equal(steps, (Options with { BatchSize = 3 }).ForEpochs(epochs, Tokens.Length, context: 80).Steps);

    private static int[] Kept(string folder) =>
        [.. Directory.GetFiles(folder, "training-*.json").Select(path => int.Parse(Path.GetFileNameWithoutExtension(path)[9..], CultureInfo.InvariantCulture)).Order()];

    private static string Fault(Func<TrainingRun> work) => Assert.Throws<Gpt2Exception>(() => work().Dispose()).Message;

    private static void Train(TrainingRun run, int steps)
    {
        for (int i = 0; i < steps; i++) run.Next(TestContext.Current.CancellationToken);
        run.Save(TestContext.Current.CancellationToken);
    }

    private TrainingRun Begin(string folder, TrainingOptions options)
    {
        using Gpt2Model model = Gpt2Model.Open(_model.Path);
        return TrainingRun.Begin(model, folder, Tokens, options);
    }
}
