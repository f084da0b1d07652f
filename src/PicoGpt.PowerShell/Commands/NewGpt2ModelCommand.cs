using System.Diagnostics;
using System.Management.Automation;
using System.Text;
using PicoGpt.Architecture;
using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Tokens;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Makes a model that knows nothing yet: <c>Get-ChildItem *.txt | New-Gpt2Model -VocabularySize 2048 -Destination ./mine</c>.</summary>
[Cmdlet(VerbsCommon.New, "Gpt2Model", DefaultParameterSetName = InputSet, SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "New-Gpt2Model.md")]
[OutputType(typeof(Gpt2Model))]
public sealed class NewGpt2ModelCommand : Gpt2PathCmdlet
{
    private const string InputSet = "InputObject";
    private const string TextSet = "Text";

    private const int OpenAIHeadSize = 64, StandardWidth = 3 * OpenAIHeadSize, StandardVocabulary = 2048;

    private readonly VocabularyTraining _vocabulary = new();
    private readonly List<byte> _parts = [];
    private int _texts;

    /// <summary>Texts, files, completions, tokens, or rows of a table, which a vocabulary is learnt from.</summary>
    [Parameter(ValueFromPipeline = true, ParameterSetName = InputSet)]
    [TextInput]
    public TextInput[] InputObject { get; set; } = [];

    /// <summary>The texts that a vocabulary is learnt from.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>The folder that the model is written to; without it the model is in memory alone.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string? Destination { get; set; }

    /// <summary>Transformer blocks (<c>n_layer</c>).</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Layers { get; set; } = 6;

    /// <summary>Attention heads a layer (<c>n_head</c>); one for each 64 of the width by default, as OpenAI's models have.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Heads { get; set; }

    /// <summary>Width of the residual stream (<c>n_embd</c>); 64 for each head by default, or 192.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Width { get; set; }

    /// <summary>Tokens of the context (<c>n_ctx</c>).</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Context { get; set; } = 256;

    /// <summary>The model whose vocabulary it has, or a folder with a vocabulary alone.</summary>
    [Parameter]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference? Vocabulary { get; set; }

    /// <summary>Tokens of the vocabulary that is learnt from the texts.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int VocabularySize { get; set; } = StandardVocabulary;

    /// <summary>What the random weights depend on.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public ulong Seed { get; set; } = 1;

    /// <summary>Write to a folder that is not empty.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private bool TakesTexts => ParameterSetName != InputSet || MyInvocation.ExpectingInput;

    /// <inheritdoc/>
    protected override void BeginProcessing() => SetUp<object?>(null, () =>
    {
        if (TakesTexts && Vocabulary is not null)
            throw Refused("A vocabulary is taken from a model or learnt from texts; leave out -Vocabulary or the texts.");
        if (!TakesTexts && IsGiven(nameof(VocabularySize)))
            throw Refused("A vocabulary of -VocabularySize tokens is learnt from texts; pipe them, or give -Text or -Path.");
        (int width, int heads) = WidthAndHeads();
        new Gpt2HyperParameters(VocabularyTraining.LeastSize, Context, width, heads, Layers).ValidateNew();
        if (TakesTexts) VocabularyTraining.RequireSize(VocabularySize);
        return null;
    });

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (TextInput input in InputObject) PerItem(input.Given, () => Take(input));
        foreach (string text in Text) Learn(text);
        ForEachPath((path, _) => Learn(TextFile.Read(path)));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        EndParts();
        PerItem(Destination, () =>
        {
            string? folder = Destination is null ? null : SessionPath.Resolve(SessionState, Destination);
            if (!Force && folder is not null) UnwritableFile.ThrowIfHoldsFiles(folder);
            (int width, int heads) = WidthAndHeads();
            if (folder is not null && !ShouldProcess(folder, $"Write a new model of {Layers} layers, {heads} heads and a width of {width}")) return;
            if (folder is not null) UnwritableFile.ThrowIfUnwritable(folder); // before a vocabulary is learnt
            Tokenizer encoder = TakesTexts ? LearnVocabulary() : OpenEncoder(Vocabulary ?? DefaultModel());
            var shape = new Gpt2HyperParameters(encoder.MaxId + 1, Context, width, heads, Layers);
            Gpt2Model model = Gpt2Model.Create(shape, encoder, Seed, folder is null ? "new" : System.IO.Path.GetFileName(folder.TrimEnd('/', '\\')));
            WriteVerbose(FormattableString.Invariant($"{model.Name}: {model.ParameterCount:N0} parameters, {shape.NVocab * (long)width:N0} of them in the embedding of {shape.NVocab:N0} tokens."));
            WriteObject(folder is null ? model : Written(model, folder));
        });
    }

    private Gpt2Model Written(Gpt2Model model, string folder)
    {
        using (model)
        {
            var export = ModelExport.Plan(model, folder, "TensorFlow");
            var written = new LatestValue<long>();
            using var bar = new ProgressBar(this, $"Writing {model.Name}");
            Await(() => export.Run(Force, written, StopToken), () => bar.Show(written.Value, export.Size));
        }

        return OpenModel(folder);
    }

    private void Take(TextInput input)
    {
        if (input.Part is null || input.BeginsText) EndParts();
        if (input.Part is { } part) _parts.AddRange(part);
        else if (input.File is { } file) Learn(TextFile.Read(SessionPath.Resolve(SessionState, file)));
        else if (input.Text is { } text) Learn(text);
        else throw Refused("Ids of tokens have no text without their vocabulary; pipe texts or files.");
    }

    // Tokens and pieces are parts of one text; what they lack of a character teaches nothing.
    private void EndParts()
    {
        if (_parts.Count > 0) Learn(Encoding.UTF8.GetString([.. _parts]));
        _parts.Clear();
    }

    private void Learn(string text)
    {
        _texts++;
        _vocabulary.Add(text, StopToken);
    }

    private BytePairEncoder LearnVocabulary()
    {
        long start = Stopwatch.GetTimestamp();
        BytePairEncoder? learnt = null;
        var share = new LatestValue<double>();
        using var bar = new ProgressBar(this, "Learning a vocabulary");
        Await(() => learnt = _vocabulary.Learn(VocabularySize, share, StopToken), () => bar.Show(FormattableString.Invariant($"{VocabularySize:N0} tokens"), share.Value));
        WriteVerbose(
            FormattableString.Invariant($"A vocabulary of {VocabularySize:N0} tokens was learnt in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s from {_texts:N0} texts of ")
                + FormattableString.Invariant($"{_vocabulary.Characters:N0} characters, with {_vocabulary.Words:N0} different words."));
        return learnt!;
    }

    private (int Width, int Heads) WidthAndHeads()
    {
        bool areHeadsGiven = IsGiven(nameof(Heads));
        int width = IsGiven(nameof(Width)) ? Width : areHeadsGiven ? (int)Math.Min((long)Heads * OpenAIHeadSize, int.MaxValue) : StandardWidth;
        if (areHeadsGiven) return (width, Heads);
        if (width % OpenAIHeadSize != 0)
            throw Refused($"A width of {width} cannot be cut into heads of {OpenAIHeadSize}, the size of OpenAI's; give -Heads, or a multiple of {OpenAIHeadSize}.");
        return (width, width / OpenAIHeadSize);
    }
}
