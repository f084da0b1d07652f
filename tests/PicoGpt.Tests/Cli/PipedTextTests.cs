using System.Text;
using PicoGpt.Cli;
using Xunit;

namespace PicoGpt.Tests.Cli;

public sealed class PipedTextTests
{
    private const string Text = "Übung — “日本” 😀\r\n";

    [Theory]
    [InlineData("utf-8", false)]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-32", true)]
    public void What_another_program_writes_is_read_as_its_bytes_tell(string encoding, bool hasMark)
    {
        Encoding written = Encoding.GetEncoding(encoding);
        byte[] bytes = [.. hasMark ? written.GetPreamble() : [], .. written.GetBytes(Text)];
        Assert.Equal(Text, PipedText.Read(new MemoryStream(bytes), Encoding.Latin1));
    }

    [Fact]
    public void What_is_not_utf_8_is_in_the_console_s_code_page()
    {
        Assert.Equal("Übung", PipedText.Read(new MemoryStream("Übung"u8.ToArray()), Encoding.Latin1));
        Assert.Equal("Übung", PipedText.Read(new MemoryStream(Encoding.Latin1.GetBytes("Übung")), Encoding.Latin1));
        Assert.Equal("", PipedText.Read(Stream.Null, Encoding.Latin1));
    }

    // On Windows the console's code page of most countries is not UTF-8, in which PowerShell writes.
    [Fact]
    public async Task A_prompt_from_a_pipe_is_the_same_as_one_in_the_command_line()
    {
        const string Prompt = "Die Übung — “日本”";
        string told = await ChildCommandLine.RunAsync("", "--max-tokens", "4", "--verbose", Prompt);
        string piped = await ChildCommandLine.RunAsync(Prompt, "--max-tokens", "4", "--verbose", "-");
        Assert.Contains("\n3M: ", told, StringComparison.Ordinal);
        Assert.Equal(WithoutTimes(told), WithoutTimes(piped));

        // the text, and of "3M: 9 prompt tokens in 80 ms, 4 new tokens" how many tokens it read
        static string WithoutTimes(string said) => said[..said.IndexOf(" prompt tokens in ", StringComparison.Ordinal)];
    }
}
