using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using PicoGpt;
using PicoGpt.Cli;
using PicoGpt.Inference;

// picoGPT's `python gpt2.py "prompt" --n_tokens_to_generate 40 --model_size 124M`, from any shell.
if (OperatingSystem.IsWindows())
{
    Encoding before = Console.OutputEncoding; // the console's, which outlives this program
    AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.OutputEncoding = before;
}

Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
bool isTerminal = !Console.IsOutputRedirected; // which what a model makes may not command; a file or another program gets it as it is
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

try
{
    CommandLine command = CommandLine.Parse(args);
    if (command.Help)
    {
        Console.WriteLine(CommandLine.Usage);
        return 0;
    }

    using var stop = new CancellationTokenSource();
    Console.CancelKeyPress += (_, e) =>
    {
        e.Cancel = true;
        stop.Cancel();
    };

    using Gpt2Model model = command.OpenModel(stop.Token);
    if (model.Assumption is { } assumption) Say($"{assumption} (--head-count)");
    if (model.Contradiction is { } contradiction) Say(contradiction);
    foreach (string doubt in model.VocabularyDoubts) Say(doubt);
    if (command.CheckMemory(model) is { } warning) Say(warning);
    if (command.Excess is { } excess) Say(excess);
    if (command.PathAsPrompt is { } path) Say(path);
    string prompt = command.ReadPrompt(ReadInput);
    foreach (Gpt2Completion completion in command.Options.Count == 1 ? Stream(prompt) : Several(prompt))
    {
        Console.WriteLine();
        if (command.Verbose) Console.Error.WriteLine(VisibleText.Printable(CommandLine.Summary(completion)));
        if (completion.Fault is { } ended) ExceptionDispatchInfo.Throw(ended);
    }

    if (model.WeightDoubt is { } hole) Say(hole);
    if (model.Unkept is { } unkept) Say(unkept);
    return 0;

    IEnumerable<Gpt2Completion> Stream(string text)
    {
        var generation = new TextGeneration(model, text, command.Options);
        var pieces = new PrintablePieces();
        foreach (string piece in generation.Stream(stop.Token)) Console.Write(isTerminal ? pieces.Add(piece) : piece);
        Console.Write(pieces.Finish());
        yield return generation.Completion;
    }

    IEnumerable<Gpt2Completion> Several(string text)
    {
        using var batch = new BatchGenerator(model, command.Options, BatchGenerator.DefaultBatchSize(model));
        batch.Add(text);
        while (!batch.IsEmpty)
        {
            foreach (Gpt2Completion completion in batch.Advance(stop.Token))
            {
                Console.WriteLine(isTerminal ? VisibleText.Printable(completion.Text) : completion.Text);
                yield return completion;
            }
        }
    }
}
catch (Gpt2Exception fault)
{
    Say(CommandLine.Explain(fault));
    return 1;
}
catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
{
    Say(fault.Message);
    return 1;
}
catch (OperationCanceledException)
{
    Console.WriteLine();
    return 130;
}

static string ReadInput() =>
    Console.IsInputRedirected ? PipedText.Read(Console.OpenStandardInput(), Console.InputEncoding) : Console.In.ReadToEnd();

static void Say(string sentence) => Console.Error.WriteLine($"picogpt: {VisibleText.Printable(sentence)}");
