using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Xunit;

namespace PicoGpt.Tests.House;

/// <summary>The engine serves PowerShell, the command line and programs alike, so its messages name no command or option of one of them.</summary>
public sealed partial class EngineStringsTests
{
    [Fact]
    public void No_message_of_the_engine_names_a_command_or_an_option_of_a_shell()
    {
        string[] strings = [.. StringsOf(typeof(Gpt2Model).Assembly.Location)];
        Assert.Contains("' already exists; choose another path.", strings);
        Assert.DoesNotContain(strings, text => OfAShell().IsMatch(text));
    }

    [Theory]
    [InlineData("fetch it with Save-Gpt2Model ")]
    [InlineData("or use -Force to overwrite it.")]
    [InlineData("-Layer and -Head")]
    [InlineData("Give the number (-HeadCount).")]
    [InlineData("use --force")]
    [InlineData("in PowerShell")]
    public void A_command_or_an_option_is_seen(string text) => Assert.Matches(OfAShell(), text);

    [Theory]
    [InlineData("one of -1, -x and e-N")]
    [InlineData("<|end-Of|>")]
    [InlineData("git-LFS")]
    [InlineData("join them with llama.cpp's llama-gguf-split --merge")]
    [InlineData("DejaVu,-Mono")]
    public void What_only_has_a_hyphen_is_not(string text) => Assert.DoesNotMatch(OfAShell(), text);

    // A parameter follows a space or a bracket, or begins a string that is put together of several.
    [GeneratedRegex(@"-Gpt2|(^|[ ('\[])--?[A-Z][a-z]+|(^|(?<!llama-gguf-split)[ ('\[])--[a-z]|PowerShell|[Cc]mdlet")]
    private static partial Regex OfAShell();

    private static IEnumerable<string> StringsOf(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        for (UserStringHandle handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
            yield return metadata.GetUserString(handle);
    }
}
