using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class PassCostTests
{
    [Fact]
    public void Before_any_pass_one_row_counts_as_one_and_further_ones_as_usual()
    {
        var cost = new PassCost(Gpt2Precision.Float32);
        Assert.False(cost.IsKnown);
        Assert.Equal([1, 1.15, 1.3], ((int[])[1, 2, 5]).Select(cost.Of), Near);
    }

    [Fact]
    public void One_pass_tells_the_scale_of_all()
    {
        var cost = new PassCost(Gpt2Precision.Float32);
        cost.Note(rows: 5, seconds: 0.013);
        Assert.True(cost.IsKnown);
        Assert.Equal([0.010, 0.013], ((int[])[1, 5]).Select(cost.Of), Near);
    }

    [Fact]
    public void Passes_over_different_rows_tell_what_a_further_one_takes()
    {
        var cost = new PassCost();
        for (int i = 0; i < 50; i++) cost.Note(rows: 1 + (i % 8), seconds: 0.010 + (0.002 * (i % 8)));
        Assert.InRange(cost.FurtherRow, 0.15, 0.2); // the usual still counts a little
        Assert.InRange(cost.Of(8), 0.023, 0.0245);
    }

    [Fact]
    public void A_second_row_may_take_more_than_those_after_it()
    {
        var cost = new PassCost();
        for (int i = 0; i < 80; i++) cost.Note(rows: 1 + (i % 8), seconds: i % 8 == 0 ? 0.010 : 0.017 + (0.001 * ((i % 8) - 1)));
        Assert.InRange(cost.SecondRow, 0.4, 0.7); // the usual still counts: one pass of eight has two rows
        Assert.InRange(cost.FurtherRow, 0.08, 0.12);
    }

    [Fact]
    public void What_is_not_measured_stays_as_usual()
    {
        var cost = new PassCost(Gpt2Precision.Int8, isMeasured: false);
        cost.Note(rows: 4, seconds: 1);
        Assert.False(cost.IsKnown);
        Assert.Equal([1, 1.1, 1.54], ((int[])[1, 2, 4]).Select(cost.Of), Near);
    }

    [Fact]
    public void Many_rows_of_large_weights_wait_for_the_arithmetic_and_all_of_small_ones_do()
    {
        double[] large = [.. ((int[])[9, 10, 11]).Select(new PassCost(Gpt2Precision.Float32).Of)];
        double[] small = [.. ((int[])[9, 10, 11]).Select(new PassCost(Gpt2Precision.Int8).Of)];
        Assert.Equal(2 * (large[1] - large[0]), large[2] - large[1], 1e-9);
        Assert.Equal(small[1] - small[0], small[2] - small[1], 1e-9);
    }

    [Fact]
    public void What_is_usual_of_the_first_row_counts_until_passes_tell()
    {
        var cost = new PassCost(Gpt2Precision.Int8, usualFirst: 0.5);
        Assert.Equal([0.5, 0.55], ((int[])[1, 2]).Select(cost.Of), Near);
        for (int i = 0; i < 60; i++) cost.Note(rows: 1, seconds: 0.6);
        Assert.Equal(0.6, cost.Of(1), 1e-3);
        Assert.Equal(0.1, cost.SecondRow, 1e-3);
    }

    [Fact]
    public void A_further_row_never_seems_to_save_time()
    {
        var cost = new PassCost();
        for (int i = 0; i < 50; i++) cost.Note(rows: 1 + (7 * (i % 2)), seconds: i % 2 == 0 ? 0.010 : 0.006);
        Assert.Equal((0, 0), (cost.SecondRow, cost.FurtherRow));
        Assert.InRange(cost.Of(1), 0.006, 0.010);
    }

    [Fact]
    public void A_pass_that_was_held_up_counts_as_little_slower_and_is_forgotten()
    {
        var cost = new PassCost();
        for (int i = 0; i < 10; i++) cost.Note(rows: 1, seconds: 0.010);
        cost.Note(rows: 1, seconds: 5);
        Assert.InRange(cost.Of(1), 0.010, 0.0105);
        for (int i = 0; i < 40; i++) cost.Note(rows: 1, seconds: 0.010);
        Assert.Equal(0.010, cost.Of(1), 1e-4);
    }

    [Fact]
    public void A_first_pass_that_took_long_is_forgotten_at_once()
    {
        var cost = new PassCost();
        cost.Note(rows: 1, seconds: 0.300);
        cost.Note(rows: 1, seconds: 0.010);
        Assert.Equal(0.010, cost.Of(1), 1e-9);
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 1e-9;
}
