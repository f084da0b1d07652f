using PicoGpt.Architecture;
using PicoGpt.Comparing;
using Xunit;

namespace PicoGpt.Tests.Comparing;

public sealed class WeightComparerTests
{
    [Fact]
    public void The_numbers_are_those_of_the_values()
    {
        using Gpt2Model reference = BuiltInModel.Open(), model = reference.Clone();
        const string Name = "h1/mlp/c_proj/b";
        float[] before = reference.Parameters.Single(weight => weight.Name == Name).ToArray();
        var changed = model.Parameters.Single(weight => weight.Name == Name);
        changed[3] = before[3] + 0.5f;
        changed[7] = before[7] - 2f;
        float[] after = changed.ToArray();
        Gpt2WeightDifference difference = WeightComparer.Compare(reference, model, Name, TestContext.Current.CancellationToken);
        Assert.Equal((Name, before.Length, 2L), (difference.Name, difference.Count, difference.Changed));
        Assert.Equal(Math.Sqrt(before.Zip(after, (a, b) => ((double)b - a) * ((double)b - a)).Sum()), difference.Norm, 1e-12);
        Assert.Equal(Math.Sqrt(before.Sum(a => (double)a * a)), difference.ReferenceNorm, 1e-12);
        Assert.Equal(difference.Norm / difference.ReferenceNorm, difference.Share!.Value, 1e-12);
        double cosine = before.Zip(after, (a, b) => (double)a * b).Sum() / Math.Sqrt(before.Sum(a => (double)a * a) * after.Sum(a => (double)a * a));
        Assert.Equal(cosine, difference.Cosine!.Value, 1e-12);
        Assert.Equal(2, difference.Max, 1e-6);
    }

    [Fact]
    public void A_weight_of_the_same_values_does_not_differ_and_one_of_zeros_has_no_direction()
    {
        using Gpt2Model reference = BuiltInModel.Open(), model = reference.Clone();
        Gpt2WeightDifference same = WeightComparer.Compare(reference, model, "wpe", TestContext.Current.CancellationToken);
        Assert.Equal((0, 0, 0, 0), (same.Norm, same.Share!.Value, same.Changed, same.Max));
        Assert.Equal(1, same.Cosine!.Value, 1e-12);
        var zeros = model.Parameters.Single(weight => weight.Name == "ln_f/b");
        for (int i = 0; i < zeros.Count; i++) zeros[i] = 0f;
        Gpt2WeightDifference gone = WeightComparer.Compare(reference, model, "ln_f/b", TestContext.Current.CancellationToken);
        Assert.Null(gone.Cosine);
        Assert.Equal(1, gone.Share!.Value, 1e-12);
        Gpt2WeightDifference come = WeightComparer.Compare(model, reference, "ln_f/b", TestContext.Current.CancellationToken);
        Assert.Equal((null, gone.Norm), (come.Share, come.Norm));
    }

    [Fact]
    public void A_weight_of_another_shape_or_of_one_model_alone_is_named()
    {
        using TemporaryFolder small = RandomModel.InFolder(Shapes.Small), deep = RandomModel.InFolder(Shapes.Small with { NVocab = 320, NLayer = 3 });
        using Gpt2Model reference = Gpt2Model.Open(small.Path), model = Gpt2Model.Open(deep.Path);
        var fault = Assert.Throws<Gpt2Exception>(() => WeightComparer.Compare(reference, model, "wte", TestContext.Current.CancellationToken));
        Assert.Equal(Gpt2Error.WrongArchitecture, fault.Error);
        Assert.Contains($"'wte' has the shape [300, 64] in {reference.Name} and [320, 64] in {model.Name}", fault.Message, StringComparison.Ordinal);
        fault = Assert.Throws<Gpt2Exception>(() => WeightComparer.Compare(reference, model, "h2/ln_1/g", TestContext.Current.CancellationToken));
        Assert.Equal((Gpt2Error.TensorNotFound, true), (fault.Error, fault.Message.StartsWith($"{reference.Name} has no weight 'h2/ln_1/g'", StringComparison.Ordinal)));
        Assert.True(WeightComparer.CanCompare(reference, model));
        string[] names = [.. WeightComparer.NamesOf(reference, model)];
        Assert.Equal(Gpt2Architecture.Leaves(model.HyperParameters).Count(), names.Length);
    }

    [Fact]
    public void A_comparison_can_be_cancelled()
    {
        using Gpt2Model model = BuiltInModel.Open();
        Assert.Throws<OperationCanceledException>(() => WeightComparer.Compare(model, model, "wte", new CancellationToken(canceled: true)));
    }
}
