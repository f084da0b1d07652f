using Xunit;

namespace PicoGpt.Tests;

public sealed class Gpt2ExceptionTests
{
    [Fact]
    public void Control_characters_of_a_hostile_name_are_spelled_out()
    {
        var fault = new Gpt2Exception(Gpt2Error.Corrupt, "Tensor '\u001b]0;owned\u0007\u202e\r\n' is damaged.");
        Assert.Equal("Tensor '\\u001b]0;owned\\u0007\\u202e\\u000d↵' is damaged.", fault.Message);
    }

    [Fact]
    public void Of_a_very_long_sentence_the_middle_is_left_out()
    {
        var fault = new Gpt2Exception(Gpt2Error.Corrupt, $"Tensor '{new string('n', 30_000)}' is damaged.");
        Assert.InRange(fault.Message.Length, 1000, 9000);
        Assert.StartsWith("Tensor 'nnn", fault.Message, StringComparison.Ordinal);
        Assert.EndsWith("nnn' is damaged.", fault.Message, StringComparison.Ordinal);
    }
}
