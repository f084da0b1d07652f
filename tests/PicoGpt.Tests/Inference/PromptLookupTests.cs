using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class PromptLookupTests
{
    private static readonly int[] Loop = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2];

    [Fact]
    public void A_loop_goes_on_as_it_went() => Assert.Equal([3, 4, 1, 2, 3], new PromptLookup().Guess(Loop, 5).ToArray());

    [Fact]
    public void Nothing_is_guessed_where_nothing_repeats() => Assert.Empty(new PromptLookup().Guess([1, 2, 3, 4], 5).ToArray());

    [Fact]
    public void The_longer_what_came_again_the_surer_is_what_follows()
    {
        var lookup = new PromptLookup();
        lookup.Guess([1, 2, 3, 4, 5, 9, 1, 2], PromptLookup.MaxGuesses); // two alike, and with every right guess one more
        double[] rightness = [.. Enumerable.Range(0, PromptLookup.MaxGuesses).Select(lookup.Rightness)];
        Assert.Equal(rightness.Order(), rightness);
        Assert.True(rightness[0] < rightness[2]);
        lookup.Guess(Loop, 5);
        Assert.True(lookup.Rightness(0) > rightness[0]);
    }

    [Fact]
    public void What_came_instead_of_its_guesses_makes_it_cautious_or_bold()
    {
        var cautious = new PromptLookup();
        var bold = new PromptLookup();
        for (int i = 0; i < 10; i++)
        {
            cautious.Guess(Loop, PromptLookup.MaxGuesses);
            cautious.Learn([9]);
            bold.Guess(Loop, PromptLookup.MaxGuesses);
            bold.Learn([3, 4]); // a part of the guess, all of it right
        }

        Assert.InRange(cautious.Rightness(0), 0, 0.2);
        Assert.InRange(bold.Rightness(0), 0.9, 1);
        Assert.Equal(Fresh(new PromptLookup()), Fresh(cautious)); // that of a shorter occurrence is still as it was
    }

    private static double Fresh(PromptLookup lookup)
    {
        lookup.Guess([1, 2, 3, 1, 2], 1);
        return lookup.Rightness(0);
    }
}
