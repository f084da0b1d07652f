using System.Text.Json;
using PicoGpt.Training;
using Xunit;

namespace PicoGpt.Tests.Training;

/// <summary>A training against numbers that NumPy computed in double precision: adamw-losses.py makes them.</summary>
public sealed class AdamWTests
{
    [Fact]
    public void Fifty_steps_on_the_built_in_model_have_the_losses_of_an_independent_computation()
    {
        JsonElement table = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "adamw-losses.json"))).RootElement;
        int[] tokens = table.Ints("tokens");
        double[] losses = table.Doubles("losses"), norms = table.Doubles("norms");
        JsonElement o = table.GetProperty("options");
        int length = table.GetProperty("length").GetInt32(), windows = tokens.Length / length;
        using Gpt2Model original = BuiltInModel.Open();
        using Gpt2Model model = original.Clone();
        using var trainer = new Trainer(model, tokens, new TrainingOptions
        {
            Steps = losses.Length,
            ContextLength = length,
            BatchSize = windows / 2,
            GradientAccumulation = 2,
            LearningRate = o.GetProperty("LearningRate").GetDouble(),
            WarmupSteps = o.GetProperty("WarmupSteps").GetInt32(),
            WeightDecay = o.GetProperty("WeightDecay").GetDouble(),
            Beta1 = o.GetProperty("Beta1").GetDouble(),
            Beta2 = o.GetProperty("Beta2").GetDouble(),
            Epsilon = o.GetProperty("Epsilon").GetDouble(),
            ClipNorm = o.GetProperty("ClipNorm").GetDouble(),
            ValidationShare = 0,
        });
        Assert.Equal(50, losses.Length);
        for (int i = 0; i < losses.Length; i++)
        {
            Gpt2TrainingStep step = trainer.Next(TestContext.Current.CancellationToken);
            Assert.Equal(losses[i], step.Loss, 1e-4);
            Assert.Equal(norms[i], step.GradientNorm, 1e-3 * norms[i]);
        }
    }
}
