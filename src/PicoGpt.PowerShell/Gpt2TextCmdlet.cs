using System.Management.Automation;
using System.Text;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>
/// A command that takes texts, as arguments, from the pipeline or from files, and a model. It says what the pipeline means for all of
/// them: with texts as arguments or files by path it brings models, else what is or has a text.
/// </summary>
public abstract class Gpt2TextCmdlet : Gpt2PathCmdlet
{
    /// <summary>The parameter set in which texts come from the pipeline.</summary>
    protected const string InputSet = "InputObject";

    /// <summary>The parameter set in which texts are arguments.</summary>
    protected const string TextSet = "Text";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, Gpt2ModelReference> _named = [];
    private readonly List<byte> _parts = [];
    private readonly List<int> _partIds = [];
    private bool _hasAllIds, _isRough;
    private Gpt2ModelReference? _default;
    private Gpt2ModelReference? _used;
    private TextInput? _firstPart;
    private bool _isModelGiven;
    private int _textsToLookAt = 100; // who pipes names of files does so from the beginning

    /// <summary>Texts, files, completions, tokens, or rows of a table.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = InputSet)]
    [TextInput]
    public TextInput[] InputObject { get; set; } = [];

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(ParameterSetName = InputSet)]
    [Parameter(ValueFromPipeline = true, ParameterSetName = TextSet)]
    [Parameter(ValueFromPipeline = true, ParameterSetName = PathSet)]
    [Parameter(ValueFromPipeline = true, ParameterSetName = LiteralPathSet)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public virtual Gpt2ModelReference? Model { get; set; }

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in a text for the special token instead of for ordinary characters.</summary>
    [Parameter]
    public virtual SwitchParameter AllowSpecial { get; set; }

    /// <summary>The texts that were given as arguments.</summary>
    private protected abstract IEnumerable<string> Arguments { get; }

    /// <summary>Whether a text is to be continued: then of a completion prompt and text are wanted.</summary>
    private protected virtual bool GoesOn => false;

    /// <summary>The model that texts are taken with, open.</summary>
    private protected Gpt2Model InUse => Open(_used!);

    /// <summary>Gets ready to take texts with a model.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="Gpt2Exception">There is no such model, or it cannot run.</exception>
    private protected abstract void Begin(Gpt2ModelReference model);

    /// <summary>Takes a text.</summary>
    /// <param name="text">The text and where it is from.</param>
    private protected abstract void Take(SourceText text);

    /// <summary>Emits what is still to be emitted of the texts that were taken with the model.</summary>
    private protected virtual void Finish()
    {
    }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _isModelGiven = IsGiven(nameof(Model));
        bool bringsModels = ParameterSetName != InputSet && MyInvocation.ExpectingInput;
        if (_isModelGiven) _ = SetUp(Model, () => Use(Model!));
        else if (ParameterSetName != InputSet && !bringsModels) _ = SetUp(null, () => Use(Default()));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == InputSet)
        {
            foreach (TextInput input in InputObject) PerItem(input.Given, () => Take(input));
            return;
        }

        PerItem(Model, () =>
        {
            Gpt2ModelReference model = Model ?? Default();
            UsePiped(model);
            foreach (string text in Arguments)
            {
                WarnOfFile(text);
                PerItem(text, () => Take(new SourceText(text)));
            }

            ForEachPath((path, _) => Take(new SourceText(TextFile.Read(path)) { Path = path }));
            if (!_isModelGiven) FinishUsed();
        });
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        PerItem(_firstPart?.Given, TakeParts);
        PerItem(_used, FinishUsed);
    }

    private bool Use(Gpt2ModelReference model)
    {
        if (ReferenceEquals(model, _used)) return true;
        PerItem(_used, FinishUsed);
        Begin(model);
        _used = model;
        return true;
    }

    // Who gives the model where the text is meant to stand, and pipes texts, is told so.
    private void UsePiped(Gpt2ModelReference model)
    {
        try
        {
            Use(model);
        }
        catch (Gpt2Exception fault) when (fault.Error == Gpt2Error.UnknownModel && MyInvocation.ExpectingInput && !_isModelGiven)
        {
            const string Why = "Since texts or files were given as arguments, what is piped are models; to pipe texts give the model with -Model.";
            throw new Gpt2Exception(fault.Error, $"{fault.Message} {Why}", fault.Path, fault) { Model = fault.Model };
        }
    }

    // Warns, once, of a text that was meant as the path of a file, as names are that Get-ChildItem -Name gives.
    private void WarnOfFile(string text)
    {
        const int LongestPath = 260;
        if (_textsToLookAt == 0) return;
        _textsToLookAt--;
        if (text.Length > LongestPath || !System.IO.Path.HasExtension(text) || !IsFile(text)) return;
        _textsToLookAt = 0;
        WriteWarning($"'{text}' is taken as a text, and is the name of a file too; to read the file give it as -Path, or pipe it as Get-ChildItem and Get-Item give it.");
    }

    private bool IsFile(string text)
    {
        try
        {
            return File.Exists(SessionPath.Resolve(SessionState, text));
        }
        catch (Gpt2Exception)
        {
            return false;
        }
    }

    private void FinishUsed()
    {
        if (_used is null) return;
        bool isDone = false;
        try
        {
            Finish();
            isDone = true;
        }
        finally
        {
            if (!isDone || (!_isModelGiven && ParameterSetName != InputSet)) _used = null; // what failed is not tried once more at the end
        }
    }

    private void Take(TextInput input)
    {
        if (input.Part is null || input.BeginsText) PerItem(_firstPart?.Given, TakeParts);
        if (input.Part is { } part)
        {
            if (_firstPart is null) (_firstPart, _hasAllIds, _isRough) = (input, true, false);
            if (input.BeginsText && GoesOn && input.Prompt is { } prompt) _parts.AddRange(Encoding.UTF8.GetBytes(prompt));
            _parts.AddRange(part);
            _partIds.AddRange(input.Ids ?? []);
            _hasAllIds &= input.Ids is not null;
            _isRough |= input.IsRough;
            return;
        }

        if (input is { Given: string or PSObject { BaseObject: string }, Source: null, Text: { } given }) WarnOfFile(given);
        Use(ModelFor(input));
        Take(SourceOf(input));
    }

    // Tokens and pieces are parts of one text.
    private void TakeParts()
    {
        if (_firstPart is not { } first) return;
        byte[] bytes = [.. _parts];
        int[]? ids = _hasAllIds ? [.. _partIds] : null;
        _firstPart = null;
        _parts.Clear();
        _partIds.Clear();
        Use(ModelFor(first));
        string text = _isRough && ids is not null ? InUse.Encoder.Decode(ids) : Decode(bytes);
        Take(new SourceText(text) { Ids = ids, Input = first });
    }

    private static string Decode(byte[] bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, "The tokens that were piped in begin or end within a character; pipe all tokens of a text.", innerException: fault);
        }
    }

    private SourceText SourceOf(TextInput input)
    {
        if (input.Ids is { } ids) return new SourceText(InUse.Encoder.Decode(ids)) { Ids = ids, Input = input };
        if (input.File is null)
            return new SourceText((GoesOn ? input.Prompt : input.Text)!) { Path = PathOf(input.Source), Line = input.Line, Input = input };
        string path = SessionPath.Resolve(SessionState, input.File);
        return new SourceText(TextFile.Read(path)) { Path = path, Input = input };
    }

    // A note of Get-Content; on another provider's drive it is not a file.
    private string? PathOf(string? source)
    {
        if (source is null) return null;
        string path = SessionState.Path.GetUnresolvedProviderPathFromPSPath(source, out ProviderInfo provider, out _);
        return provider.Name == "FileSystem" ? path : null;
    }

    private Gpt2ModelReference ModelFor(TextInput input)
    {
        if (_isModelGiven) return Model!;
        if (input.Row?.Properties["Model"]?.Value is { } column && $"{column}".Length > 0)
        {
            string name = $"{column}";
            return _named.TryGetValue(name, out Gpt2ModelReference? named)
                ? named
                : _named[name] = ModelTransformationAttribute.ReferenceTo(column, SessionState);
        }

        Gpt2ModelReference standard = Default();
        if (input.MadeWith is not { } made || made == NameOf(standard)) return standard;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument, $"The text was made with a model named '{made}', but its name alone does not tell which that is; give it with -Model.");
    }

    private string NameOf(Gpt2ModelReference model) =>
        ModelCatalog.TryResolve(model.NameOrPath!, out CatalogModel? known) ? known.Name : Open(model).Name;

    private Gpt2ModelReference Default() => _default ??= DefaultModel();
}
