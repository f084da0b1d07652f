using System.Management.Automation;
using PicoGpt.Inference;
using PicoGpt.Machine;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Writes a text with a model in turns, at the prompt: <c>Enter-Gpt2Session 124M</c>.</summary>
[Cmdlet(VerbsCommon.Enter, "Gpt2Session", HelpUri = HelpAddress.Pages + "Enter-Gpt2Session.md")]
[OutputType(typeof(Gpt2Session))]
public sealed class EnterGpt2SessionCommand : Gpt2FetchingCmdlet
{
    private const string Help = """
        A line is added to the text, and the model continues from there; an empty line has it continue.
          /back           takes the last turn back
          /again          takes the model's last turn back and has it write another one
          /show           shows the whole text
          /set            lists the settings; /set Temperature 0.8 changes one
          /new            begins a new text
          /quit           leaves, with the whole text as an object
        Esc or Ctrl+C stops the model within a token; what it has written is kept.
        """;

    private readonly List<string> _lines = [];
    private Gpt2Session? _session;
    private bool _isScripted;

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Position = 0)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference? Model { get; set; }

    /// <summary>Lines from the pipeline, which are taken as if they were typed.</summary>
    [Parameter(ValueFromPipeline = true)]
    [AllowEmptyString]
    public object? InputObject { get; set; }

    /// <summary>How many tokens the model makes at most in a turn.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int MaxTokens { get; set; } = 40;

    /// <summary>0 takes the likeliest token always; higher values are more varied.</summary>
    [Parameter]
    [InRange(0, float.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float Temperature { get; set; } = 0.8f;

    /// <summary>Sample from so many of the likeliest tokens; 0 for all.</summary>
    [Parameter]
    [InRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int TopK { get; set; } = 40;

    /// <summary>The seed of the sampling.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public long? Seed { get; set; }

    /// <summary>Threads to compute with; 0 for one per physical core.</summary>
    [Parameter]
    [ValidateRange(0, Processors.MaxThreads)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Threads { get; set; }

    /// <summary>Try where the memory seems too little for the model.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>The name of a variable that gets the session when the command is stopped.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? PartialVariable { get; set; }

    /// <inheritdoc/>
    private protected override int WantedThreads => Threads;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _isScripted = MyInvocation.ExpectingInput;
        _session = SetUp(Model, () => new Gpt2Session(OpenToRun(Model ?? DefaultModel(), texts: 1, Force), Options()));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!_isScripted) return;
        object? given = ObjectReader.Unwrap(InputObject);
        PerItem(given, () => _lines.Add(given as string ?? throw new Gpt2Exception(
            Gpt2Error.InvalidArgument, $"'{given}' ({given?.GetType().Name ?? "null"}) is not a line of text; pipe strings, as they would be typed.")));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            if (!_isScripted) Say($"{_session!.Model}: type a text, and the model continues it; /help lists what else there is, /quit leaves.");
            foreach (string line in _isScripted ? _lines : Typed())
            {
                bool goesOn = true;
                PerItem(line, () => goesOn = Take(line));
                if (!goesOn) break;
            }
        }
        finally
        {
            if (StopToken.IsCancellationRequested && PartialVariable is { } name) SessionState.PSVariable.Set(name, _session);
        }

        WriteObject(_session);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _session?.Dispose();
        base.Dispose(disposing);
    }

    private GenerationOptions Options() => new()
    {
        MaxTokens = MaxTokens,
        Temperature = Temperature,
        TopK = TopK,
        Seed = Seed,
        Threads = Threads,
        Overflow = ContextOverflow.Slide,
    };

    // PSReadLine's editing and history where the session has them.
    private IEnumerable<string> Typed()
    {
        bool hasReader = Host.Name == "ConsoleHost" && !Console.IsInputRedirected
            && SessionState.InvokeCommand.GetCommand("PSConsoleHostReadLine", CommandTypes.Function) is not null;
        while (true)
        {
            Host.UI.Write("> ");
            object? line = hasReader ? InvokeCommand.InvokeScript("PSConsoleHostReadLine").FirstOrDefault()?.BaseObject : Host.UI.ReadLine();
            if (line is not string text) yield break; // the end of the input
            yield return text;
        }
    }

    // Whether to continue.
    private bool Take(string line)
    {
        Gpt2Session session = _session!;
        string[] words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        switch (words.FirstOrDefault())
        {
            case "/quit" or "/exit": return false;
            case "/help": Say(Help); break;
            case "/show": Say(session.Text); break;
            case "/back": Say(session.TakeBack() is { } turn ? $"Taken back: {turn.Text}" : "There is nothing to take back."); break;
            case "/new": while (session.TakeBack() is not null) { } break;
            case "/again": Again(session); break;
            case "/set": Set(session, words); break;
            case ['/', ..]: Say($"There is no {words[0]}; /help lists what there is."); break;
            default:
                session.Write(Joined(session.Text, line));
                Continue(session);
                break;
        }

        return true;
    }

    // What is typed follows with a space where neither side has one.
    private static string Joined(string text, string line) =>
        line.Length == 0 || text.Length == 0 || char.IsWhiteSpace(text[^1]) || char.IsWhiteSpace(line[0]) || char.IsPunctuation(line[0]) ? line : $" {line}";

    private void Again(Gpt2Session session)
    {
        if (session.Turns is [.., { IsByModel: true }]) session.TakeBack();
        if (session.Options.Seed is { } seed) session.Options = session.Options with { Seed = unchecked(seed + 1) };
        Continue(session);
    }

    private void Continue(Gpt2Session session)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(StopToken);
        using var keys = new StopKeys(isWanted: !_isScripted);
        var pieces = new PrintablePieces();
        try
        {
            foreach (string piece in session.Continue(stop.Token))
            {
                Host.UI.Write(pieces.Add(piece));
                if (keys.WerePressed) stop.Cancel();
            }
        }
        catch (OperationCanceledException) when (!StopToken.IsCancellationRequested)
        {
            // what there is of the turn is kept
        }

        Host.UI.WriteLine(pieces.Finish());
    }

    private void Set(Gpt2Session session, string[] words)
    {
        if (words.Length == 1)
        {
            foreach (SessionSetting setting in SessionSetting.All) Say($"{setting.Name,-18} {setting.Show(session.Options)}");
            return;
        }

        SessionSetting chosen = SessionSetting.All.FirstOrDefault(setting => setting.Name.Equals(words[1], StringComparison.OrdinalIgnoreCase))
            ?? throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"There is no setting '{words[1]}'; there are {string.Join(", ", SessionSetting.All.Select(setting => setting.Name))}.");
        session.Options = chosen.Change(session.Options, words.Length > 2 ? words[2] : "");
    }

    private void Say(string text) => Host.UI.WriteLine(VisibleText.Printable(text));
}
