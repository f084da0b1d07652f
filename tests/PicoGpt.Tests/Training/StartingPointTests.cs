using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Training;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Training;

/// <summary>What a training may begin with: runs that others' code left, and models that OpenAI's file has no place for.</summary>
public sealed class StartingPointTests : IDisposable
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(i => (i * i) % 41)];
    private static readonly TrainingOptions Options = new() { Steps = 2, BatchSize = 2, ContextLength = 16, Threads = 1 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>nshepperd's code leaves checkpoint/run1 beside models/124M, whose vocabulary it reads; gpt-2-simple copies that into the run.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Runs_of_nshepperds_code_and_of_gpt_2_simple_are_starting_points(bool hasVocabulary)
    {
        string models = _folder.File("models/124M"), run = _folder.File("checkpoint/run1"), mine = _folder.File("mine");
        RandomModel.Write(models, Shapes.Odd);
        Directory.CreateDirectory(run);
        using (Gpt2Model original = Gpt2Model.Open(models)) WriteRun(run, original);
        foreach (string name in hasVocabulary ? ["hparams.json", "encoder.json", "vocab.bpe"] : Array.Empty<string>()) File.Copy(Path.Combine(models, name), Path.Combine(run, name));

        using Gpt2Model opened = Gpt2Model.Open(run);
        Assert.Contains("model/wte/Adam_1", opened.Parameters.LeftOut);
        using (TrainingRun training = TrainingRun.Begin(opened, mine, Tokens, Options))
        {
            training.Next(TestContext.Current.CancellationToken);
            training.Save(TestContext.Current.CancellationToken);
        }

        using Gpt2Model trained = Gpt2Model.Open(mine);
        Assert.Equal("Once", trained.Encoder.Decode(trained.Encoder.Encode("Once")));
        Assert.NotEqual(opened.Parameters.Wte.ToArray(), trained.Parameters.Wte.ToArray());
        Assert.Throws<Gpt2Exception>(() => TrainingRun.Resume(run, Tokens, options => options)); // it has no journal of ours
    }

    [Fact]
    public void A_model_that_hparams_json_has_no_place_for_is_trained_and_resumed_too()
    {
        Gpt2HyperParameters h = Shapes.Odd with { Bias = false, TieWordEmbeddings = false, Activation = Gpt2Activation.Relu };
        string model = _folder.File("model"), mine = _folder.File("mine");
        RandomModel.Write(model, h);
        File.WriteAllBytes(Path.Combine(model, HuggingFaceConfig.FileName), HuggingFaceConfig.Format(h, _ => { }, "float32"));
        using Gpt2Model opened = Gpt2Model.Open(model);
        using (TrainingRun training = TrainingRun.Begin(opened, mine, Tokens, Options, ["wpe"]))
        {
            training.Next(TestContext.Current.CancellationToken);
            training.Save(TestContext.Current.CancellationToken);
        }

        using (TrainingRun training = TrainingRun.Resume(mine, Tokens, options => options))
        {
            training.Next(TestContext.Current.CancellationToken);
            training.Save(TestContext.Current.CancellationToken);
        }

        using Gpt2Model trained = Gpt2Model.Open(mine);
        Assert.Equal(h, trained.HyperParameters);
        Assert.Equal(opened.Parameters.Wpe.ToArray(), trained.Parameters.Wpe.ToArray());
        Assert.DoesNotContain("model/wpe/Adam", trained.Parameters.LeftOut);
        Assert.NotEqual(opened.Parameters.LmHead.ToArray(), trained.Parameters.LmHead.ToArray());
    }

    private static void WriteRun(string run, Gpt2Model model)
    {
        using (var writer = new TensorBundleWriter(Path.Combine(run, "model-1000")))
        {
            foreach (Gpt2Weight weight in model.Parameters)
            {
                string name = WeightNaming.TensorFlow.Of(weight.Name);
                var shape = new TensorShape([.. weight.Shape.Select(length => (long)length)]);
                foreach (string slot in (string[])["", "/Adam", "/Adam_1"]) writer.AddFloats(name + slot, shape, weight.ToArray());
            }

            writer.AddFloats("beta1_power", new TensorShape([]), [0.9f]);
            writer.AddFloats("beta2_power", new TensorShape([]), [0.999f]);
            writer.Finish();
        }

        File.WriteAllText(Path.Combine(run, "counter"), "1001\n");
        File.WriteAllBytes(Path.Combine(run, "model-1000.meta"), [10, 3, 1, 2, 3]);
    }
}
