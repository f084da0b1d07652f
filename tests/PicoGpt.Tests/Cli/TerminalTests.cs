using System.Text.RegularExpressions;
using PicoGpt.Tests.Resources;
using Xunit;

namespace PicoGpt.Tests.Cli;

/// <summary>What a model makes of random weights: any bytes, those that command a terminal among them.</summary>
public sealed partial class TerminalTests : IDisposable
{
    private readonly TemporaryFolder _model = RandomModel.InFolder(Shapes.Small, seed: 3);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("--max-tokens 28 --temperature 1 --seed 1 --ignore-eot")]
    [InlineData("--max-tokens 28 --temperature 1 --seed 1 --ignore-eot --count 4")]
    public void On_a_terminal_what_would_command_it_is_spelled_out_and_a_pipe_gets_it_as_it_is(string options)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script of util-linux makes the terminal");
        const string Script = """
            command -v script >/dev/null || { echo skip; exit; }
            run="'$0' --model '$1' $2 a"
            bash -c "$run" > "$1/pipe"
            TERM=dumb script -qec "$run" /dev/null > "$1/terminal"
            """;
        string program = Path.Combine(AppContext.BaseDirectory, "PicoGpt.Cli");
        (_, string[] lines) = ResourceChild.Run(Script, program, _model.Path, options);
        Assert.SkipWhen(lines is ["skip"], "script of util-linux makes the terminal, and is not installed");
        Assert.Empty(lines);
        string pipe = File.ReadAllText(_model.File("pipe")), terminal = File.ReadAllText(_model.File("terminal")).ReplaceLineEndings("\n");
        Assert.Matches(Commanding(), pipe);
        Assert.DoesNotMatch(Commanding(), terminal);
        Assert.Equal(VisibleText.Printable(pipe), terminal);
    }

    [GeneratedRegex(@"[\x00-\x08\x0b-\x1f\x7f-\x9f]")]
    private static partial Regex Commanding();
}
