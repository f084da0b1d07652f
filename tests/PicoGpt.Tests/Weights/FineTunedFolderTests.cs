using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Weights;

public sealed class FineTunedFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("checkpoint/run1")]
    [InlineData("checkpoint/run1/model-1000")]
    [InlineData("checkpoint/run1/model-1000.index")]
    [InlineData("checkpoint")]
    [InlineData("")]
    public void A_run_of_gpt_2_simple_opens(string path)
    {
        WriteRun("run1", withFiles: true);
        AssertSays(path, "run1");
    }

    [Theory]
    [InlineData("checkpoint/run1")]
    [InlineData("")]
    public void A_run_that_has_weights_alone_takes_the_rest_from_the_model_it_came_from(string path)
    {
        WriteRun("run1", withFiles: false);
        RandomModel.Write(_folder.File("models/117M"), Shapes.FiveHeads with { NLayer = 3 });
        RandomModel.Write(_folder.File("models/124M"), Shapes.FiveHeads);
        AssertSays(path, "run1");
    }

    [Fact]
    public void A_run_whose_model_is_gone_says_what_to_add()
    {
        WriteRun("run1", withFiles: false);
        RandomModel.Write(_folder.File("models/117M"), Shapes.FiveHeads with { NLayer = 3 });
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.File("checkpoint/run1")));
        Assert.Contains("or add the model's config.json or hparams.json", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_newest_checkpoint_of_a_run_is_meant_and_another_can_be_named()
    {
        WriteRun("run1", withFiles: true);
        WriteRun("run1", withFiles: true, seed: 2, step: 1500);
        using Gpt2Model newest = Gpt2Model.Open(_folder.File("checkpoint/run1")), older = Gpt2Model.Open(_folder.File("checkpoint/run1/model-1000"));
        Assert.EndsWith("model-1500", newest.Prefix, StringComparison.Ordinal);
        Assert.NotEqual(newest.Parameters.Wpe.ToArray(), older.Parameters.Wpe.ToArray());
    }

    [Fact]
    public void Of_several_runs_one_has_to_be_named()
    {
        WriteRun("run1", withFiles: true);
        WriteRun("run2", withFiles: true);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Gpt2Model.Open(_folder.Path));
        Assert.Equal(Gpt2Error.FileNotFound, fault.Error);
        Assert.Contains("run1', '", fault.Message, StringComparison.Ordinal);
    }

    // As TensorFlow's Saver leaves it in training, with an optimizer's slots and counters among the weights.
    private void WriteRun(string run, bool withFiles, ulong seed = 1, int step = 1000)
    {
        RandomModel.Write(_folder.File("original"), Shapes.FiveHeads, seed);
        string folder = _folder.File($"checkpoint/{run}");
        Directory.CreateDirectory(folder);
        using TensorBundle original = TensorBundle.Open(_folder.File("original"));
        using var writer = new TensorBundleWriter(Path.Combine(folder, $"model-{step}"));
        foreach (TensorEntry entry in original.Entries)
        {
            writer.Add(entry.Name, entry.DType, entry.Shape, original.GetBytes(entry).Span);
            writer.Add(entry.Name + "/Adam", entry.DType, entry.Shape, original.GetBytes(entry).Span);
        }

        writer.AddFloats("beta1_power", new TensorShape(), [0.9f]);
        writer.Add("global_step", TensorDType.Int64, new TensorShape(), BitConverter.GetBytes(1000L));
        writer.Finish();
        File.WriteAllText(Path.Combine(folder, "counter"), "1000\n");
        if (!withFiles) return;
        foreach (string file in (string[])["hparams.json", "encoder.json", "vocab.bpe"])
            File.Copy(_folder.File($"original/{file}"), Path.Combine(folder, file), overwrite: true);
    }

    private void AssertSays(string path, string name)
    {
        using Gpt2Model original = Gpt2Model.Open(_folder.File("original")), model = Gpt2Model.Open(_folder.File(path));
        Assert.Equal(name, model.Name);
        Assert.Equal(Shapes.FiveHeads, model.HyperParameters);
        var options = new GenerationOptions { MaxTokens = 8, IgnoreEndOfText = true };
        Assert.Equal(TextGeneration.Run(original, "hello", options).Ids, TextGeneration.Run(model, "hello", options).Ids);
    }
}
