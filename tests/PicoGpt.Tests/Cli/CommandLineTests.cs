using PicoGpt.Architecture;
using PicoGpt.Cli;
using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Cli;

public sealed class CommandLineTests
{
    [Fact]
    public void A_prompt_alone_is_greedy_and_forty_tokens_of_the_built_in_model()
    {
        CommandLine command = CommandLine.Parse(["Once upon a time"]);
        Assert.Equal("Once upon a time", command.ReadPrompt(() => ""));
        Assert.Equal((40, 0f), (command.Options.MaxTokens, command.Options.Temperature));
        using Gpt2Model model = command.OpenModel();
        Assert.Equal("3M", model.Name);
    }

    [Fact]
    public void Every_option_reaches_the_generation()
    {
        GenerationOptions o = CommandLine.Parse(
            ["--max-tokens", "7", "--temperature", "0.5", "--top-k", "3", "--top-p", "0.9", "--seed", "-5", "--stop", "x", "--stop", "y", "--ignore-eot", "--keep-special", "--slide", "--threads", "2", "p"]).Options;
        Assert.Equal((7, 0.5f, 3, 0.9f, -5L), (o.MaxTokens, o.Temperature, o.TopK, o.TopP, o.Seed));
        Assert.Equal(["x", "y"], o.Stop);
        Assert.True(o.IgnoreEndOfText && o.KeepSpecial);
        Assert.Equal((ContextOverflow.Slide, 2), (o.Overflow, o.Threads));
    }

    [Fact]
    public void A_value_may_stand_behind_an_equals_sign()
    {
        CommandLine command = CommandLine.Parse(["--max-tokens=7", "--stop=a=b", "--logit-bias=262=-5", "a=b"]);
        Assert.Equal((7, "a=b"), (command.Options.MaxTokens, command.ReadPrompt(() => "")));
        Assert.Equal(["a=b"], command.Options.Stop);
        Assert.Equal(-5, command.Options.LogitBias[262]);
    }

    [Theory]
    [InlineData("--top-k is -3;", "TopK is -3; give 0 (all tokens) or more.")]
    [InlineData("--no-repeat-ngram is -1;", "NoRepeatNgramSize is -1; give 0 (no rule) or more.")]
    [InlineData("Kings is -1;", "Kings is -1; give 0 or more.")]
    public void What_the_engine_calls_by_its_own_name_is_an_option_here(string said, string message) =>
        Assert.StartsWith(said, CommandLine.Explain(new Gpt2Exception(Gpt2Error.InvalidArgument, message)), StringComparison.Ordinal);

    [Fact]
    public void A_dash_reads_the_prompt_from_standard_input_and_two_dashes_quote_it()
    {
        Assert.Equal("from a pipe", CommandLine.Parse(["-"]).ReadPrompt(() => "from a pipe"));
        Assert.True(CommandLine.Parse(["--help"]).Help);
    }

    [Theory]
    [InlineData("--help", "--", "--help")]
    [InlineData("-x", "--", "-x")]
    [InlineData("--seed=1", "--", "--seed=1")]
    [InlineData("--", "--", "--")]
    [InlineData("read", "--", "-")] // as other programs take it
    [InlineData("", "")]
    public void Two_dashes_end_the_options(string prompt, params string[] arguments)
    {
        CommandLine command = CommandLine.Parse(arguments);
        Assert.Equal(prompt, command.ReadPrompt(() => "read"));
        Assert.False(command.Help);
        Assert.Null(command.Options.Seed);
    }

    [Fact]
    public void A_value_of_an_option_may_begin_with_a_dash() =>
        Assert.Equal(["-x", "--", "-"], CommandLine.Parse(["--stop", "-x", "--stop", "--", "--stop=-", "--", "-p"]).Options.Stop);

    [Fact]
    public void More_threads_than_processors_are_doubted()
    {
        int processors = Environment.ProcessorCount;
        Assert.StartsWith($"--threads is {processors + 1}, but there ", CommandLine.Parse([$"--threads={processors + 1}", "p"]).Excess, StringComparison.Ordinal);
        Assert.Null(CommandLine.Parse([$"--threads={processors}", "p"]).Excess);
        Assert.Null(CommandLine.Parse(["p"]).Excess);
        Assert.Null(CommandLine.Parse(["--threads=5000", "p"]).Excess); // which is refused
    }

    [Fact]
    public void The_precision_reaches_the_model()
    {
        using Gpt2Model model = CommandLine.Parse(["--precision", "int8", "p"]).OpenModel();
        Assert.Equal(Gpt2Precision.Int8, model.Precision);
    }

    [Fact]
    public void The_number_of_heads_reaches_weights_that_do_not_tell_it()
    {
        using var folder = new TemporaryFolder();
        RandomModel.Write(folder.Path, new Gpt2HyperParameters(NVocab: 300, NCtx: 8, NEmbd: 64, NHead: 4, NLayer: 1));
        File.Delete(folder.File("hparams.json"));
        using (Gpt2Model assumed = CommandLine.Parse(["--model", folder.Path, "p"]).OpenModel())
            Assert.Equal((1, true), (assumed.HyperParameters.NHead, assumed.Assumption is not null));
        using Gpt2Model told = CommandLine.Parse(["--model", folder.Path, "--head-count", "4", "p"]).OpenModel();
        Assert.Equal((4, null), (told.HyperParameters.NHead, told.Assumption));
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => CommandLine.Parse(["--head-count", "4", "p"]).OpenModel());
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
    }

    [Fact]
    public void What_is_here_is_opened_with_fetch_too_and_its_memory_is_asked_about()
    {
        CommandLine command = CommandLine.Parse(["--fetch", "--force", "p"]);
        using Gpt2Model model = command.OpenModel(TestContext.Current.CancellationToken);
        Assert.Equal("3M", model.Name);
        Assert.DoesNotContain("--force", command.CheckMemory(model) ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_that_is_the_name_of_a_file_too_is_told()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("king.txt");
        Assert.Null(CommandLine.Parse([path]).PathAsPrompt);
        File.WriteAllText(path, "The king");
        Assert.EndsWith($"picogpt - < {path}", CommandLine.Parse([path]).PathAsPrompt, StringComparison.Ordinal);
        Assert.Null(CommandLine.Parse(["Once."]).PathAsPrompt);
        Assert.Equal("124M", CommandLine.Parse(["--fetch", "--model", "3M", "124M"]).ReadPrompt(() => ""));
    }

    [Theory]
    [InlineData(Gpt2Error.ModelNotCached, "It is not here; fetch it first.", "It is not here; fetch it first with --fetch, or give --model the path of a folder that has it.")]
    [InlineData(Gpt2Error.UnknownHeadCount, "Give the number.", "Give the number (--head-count).")]
    [InlineData(Gpt2Error.InsufficientMemory, "Take a smaller model.", "Take a smaller model.")]
    [InlineData(Gpt2Error.DiskFull, "Make room.", "Make room.")]
    public void What_helps_is_told_by_its_option(Gpt2Error error, string message, string said) =>
        Assert.Equal(said, CommandLine.Explain(new Gpt2Exception(error, message)));

    [Theory]
    [InlineData("one of Float32, Float16", "--precision", "3", "p")]
    [InlineData("no prompt")]
    [InlineData("--force takes no value, but was given 'yes'", "--force=yes", "p")]
    [InlineData("no option '--frequency'", "--frequency", "p")]
    [InlineData("no option '-x'; --help lists the options, and a prompt that begins with a dash stands after --", "-x")]
    [InlineData("no option '-5 degrees'", "-5 degrees")]
    [InlineData("two prompts, 'Once' and '--seed'", "--", "Once", "--seed", "1")]
    [InlineData("two prompts, '-' and 'Once'", "-", "Once")]
    [InlineData("-- takes no value", "--=Once")]
    [InlineData("no prompt", "--")]
    [InlineData("--seed needs a value", "p", "--seed")]
    [InlineData("'many'", "--max-tokens", "many", "p")]
    [InlineData("--temperature needs a number with a decimal point and without commas, but was given '0,7'", "--temperature", "0,7", "p")]
    [InlineData("'262=1,5'", "--logit-bias", "262=1,5", "p")]
    [InlineData("--max-tokens needs a number, but was given '1.5'", "--max-tokens", "1.5", "p")]
    [InlineData("or '-' to read it from standard input")]
    [InlineData("name the model, as in: picogpt --fetch --model 124M", "--fetch", "gpt2")]
    [InlineData("two prompts", "Once", "upon")]
    public void A_mistake_is_named(string says, params string[] arguments)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => CommandLine.Parse(arguments));
        Assert.Equal(Gpt2Error.InvalidArgument, fault.Error);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }
}
