using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class PromptLookupTests
{
    private static readonly int[] Loop = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2];

    [Fact]
    public void A_loop_goes_on_as_it_went() => Assert.Equal([3, 4, 1, 2, 3], new PromptLookup().Guess(Loop, 5, 0.05).ToArray());

    [Fact]
    public void Nothing_is_guessed_where_nothing_repeats() => Assert.Empty(new PromptLookup().Guess([1, 2, 3, 4], 5, 0.05).ToArray());

    [Fact]
    public void The_dearer_a_guess_is_the_shorter_it_gets()
    {
        int[] lengths = [.. ((double[])[0.05, 0.3, 0.5, 0.7]).Select(cost => new PromptLookup().Guess(Loop, PromptLookup.MaxGuesses, cost).Length)];
        Assert.Equal([5, 2, 1, 0], lengths); // 0.6⁵ > 0.05 > 0.6⁶, and so on
    }

    [Fact]
    public void Wrong_guesses_make_it_cautious_and_right_ones_bold()
    {
        var cautious = new PromptLookup();
        var bold = new PromptLookup();
        for (int i = 0; i < 10; i++)
        {
            cautious.Learn(guessed: 5, right: 0);
            bold.Learn(guessed: 5, right: 5);
        }

        Assert.Equal(1, cautious.Guess(Loop, PromptLookup.MaxGuesses, 0.05).Length);
        Assert.Equal(PromptLookup.MaxGuesses, bold.Guess(Loop, PromptLookup.MaxGuesses, 0.05).Length);
    }
}
