using System.Diagnostics;
using System.Management.Automation;
using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>What every command shares: cancellation, opening models, errors.</summary>
public abstract class Gpt2Cmdlet : PSCmdlet, IDisposable
{
    /// <summary>The environment variable that names the model where none is given.</summary>
    private const string ModelVariable = "PICOGPT_MODEL";

    /// <summary>What to do instead of giving what is not an intervention, or one of another session.</summary>
    private protected const string MakeIntervention = "make it in this session, as by New-Gpt2Intervention h0/mlp -Zero";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private Gpt2ModelReference? _reference;
    private CarriedModel? _carried; // how what is opened was open in another session
    private Gpt2Model? _model;
    private bool _isWarnedOfThreads;
    private HashSet<string>? _given; // before the first object of the pipeline

    /// <summary>
    /// Whether what the command emits needs the model to stay open. A model that the command opened itself is closed with
    /// the command otherwise; emitted ones are closed by the garbage collector.
    /// </summary>
    protected virtual bool EmitsPartsOfModel => false;

    /// <summary>How many threads are to compute; 0 for one per physical core.</summary>
    private protected virtual int WantedThreads => 0;

    /// <summary>In what precision a model is to be held, or <see langword="null"/> for that of a model object, or float32.</summary>
    protected virtual Gpt2Precision? WantedPrecision => null;

    /// <summary>How the matrices of a model are to be held that is opened: as the command says, or as they were where the model came from.</summary>
    private protected Gpt2Precision PrecisionToOpen => WantedPrecision ?? (_carried?.Precision is { } carried ? Enum.Parse<Gpt2Precision>(carried) : default);

    /// <summary>Cancelled when the pipeline is stopped.</summary>
    protected CancellationToken StopToken => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the command holds.</summary>
    /// <param name="disposing">Whether it is called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        _stop.Dispose();
        if (!EmitsPartsOfModel) _model?.Dispose();
    }

    /// <summary>Stops what is under way.</summary>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Tells what is done, with control characters of names and paths spelled out.</summary>
    /// <param name="text">The sentence.</param>
    protected new void WriteVerbose(string text) => base.WriteVerbose(Format.Visible(text));

    /// <summary>Warns, with control characters of names and paths spelled out.</summary>
    /// <param name="text">The sentence.</param>
    protected new void WriteWarning(string text) => base.WriteWarning(Format.Visible(text));

    /// <summary>Asks whether to continue, with control characters of names and paths spelled out.</summary>
    /// <param name="target">What is changed.</param>
    /// <param name="action">How.</param>
    /// <returns>Whether to continue.</returns>
    protected new bool ShouldProcess(string target, string action) => base.ShouldProcess(Format.Visible(target), Format.Visible(action));

    /// <summary>Runs the work for one input item: a fault becomes an error record, and the pipeline continues.</summary>
    /// <param name="target">The item, for the error record.</param>
    /// <param name="work">The work.</param>
    protected void PerItem(object? target, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            work();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (Exception exception) when (IsFault(exception))
        {
            WriteError(ErrorRecords.From(exception, target));
        }
    }

    /// <summary>Runs work without which the command cannot do anything: a fault ends the command.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="target">What the work is about, for the error record.</param>
    /// <param name="work">The work.</param>
    /// <returns>What the work gives.</returns>
    protected T SetUp<T>(object? target, Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            return work();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (Exception exception) when (IsFault(exception))
        {
            ThrowTerminatingError(ErrorRecords.From(exception, target));
            throw;
        }
    }

    /// <summary>The model that a parameter refers to, opened if it is not open.</summary>
    /// <param name="reference">What the parameter was given.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">There is no such model, or its files are not as they should be.</exception>
    protected Gpt2Model Open(Gpt2ModelReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Model is { } given) return given.WithPrecision(WantedPrecision ?? given.Precision);
        if (_model is not null && ReferenceEquals(_reference, reference)) return _model;
        if (!EmitsPartsOfModel) _model?.Dispose();
        _model = null;
        long start = Stopwatch.GetTimestamp();
        _carried = reference.Carried;
        _model = Adapted(OpenModel(reference.NameOrPath!), _carried?.Adapter);
        _reference = reference;
        WriteVerbose(FormattableString.Invariant($"{_model.Name}: opened {_model.Path} in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms."));
        return _model;
    }

    /// <summary>
    /// The model where none is given: what PICOGPT_MODEL names, else the only one in the cache, else the built-in one. A verbose line
    /// says which.
    /// </summary>
    /// <returns>A reference to it.</returns>
    /// <exception cref="Gpt2Exception">PICOGPT_MODEL names no model.</exception>
    protected Gpt2ModelReference DefaultModel()
    {
        if (Environment.GetEnvironmentVariable(ModelVariable) is { Length: > 0 } named)
        {
            if (ModelCatalog.TryResolve(named, out _) || Path.Exists(SessionPath.Resolve(SessionState, named)))
                return Chosen(named, $"as the environment variable {ModelVariable} says");
            throw new Gpt2Exception(
                Gpt2Error.UnknownModel, $"The environment variable {ModelVariable} names '{named}', which is neither a model of the catalog nor a path.", named);
        }

        CatalogModel[] cached = [.. ModelCatalog.Models.Where(model => ModelStore.Default.Describe(model).State == ModelState.Cached)];
        if (cached.Length == 1) return Chosen(cached[0].Name, "the only one in the cache");
        string others = cached.Length == 0 ? "none is in the cache" : $"the cache has {string.Join(", ", cached.Select(model => model.Name))}";
        return Chosen(ModelCatalog.Models.First(model => model.IsBuiltIn).Name, $"the built-in one: {others}, and {ModelVariable} names none");

        Gpt2ModelReference Chosen(string model, string why)
        {
            WriteVerbose($"No -Model was given; {model} is used, {why}.");
            return new Gpt2ModelReference(SessionPath.NameOrPath(SessionState, model));
        }
    }

    /// <summary>The model that a name means: of the catalog, unless something lies where a name such as <c>openai-community/gpt2</c> leads as a path.</summary>
    /// <param name="name">A name or an alias.</param>
    /// <exception cref="Gpt2Exception">No model has that name.</exception>
    protected ModelTarget ModelOf(string name)
    {
        string nameOrPath = SessionPath.NameOrPath(SessionState, name);
        return nameOrPath == name ? new ModelTarget(ModelCatalog.Resolve(name).Name, path: null) : new ModelTarget(name: null, nameOrPath);
    }

    /// <summary>The model that a name means, or the models that a pattern matches.</summary>
    /// <param name="nameOrPattern">A name or an alias; with wildcards, only what is on this machine, if anything.</param>
    /// <exception cref="Gpt2Exception">No model has that name, or it is a path.</exception>
    protected IEnumerable<ModelTarget> ModelsOf(string nameOrPattern)
    {
        if (!NamePattern.HasWildcards(nameOrPattern)) return [ModelOf(nameOrPattern)];
        WildcardPattern pattern = NamePattern.Of(nameOrPattern);
        CatalogModel[] meant = [.. ModelCatalog.Models.Where(model => model.Aliases.Prepend(model.Name).Any(pattern.IsMatch))];
        if (meant.Length == 0 && nameOrPattern.AsSpan().ContainsAny('/', '\\')) throw ModelCatalog.Unknown(nameOrPattern); // a path, such as ./models/[old]
        return meant.Where(model => ModelStore.Default.Describe(model).State != ModelState.NotFetched).Select(model => new ModelTarget(model.Name, path: null));
    }

    /// <summary>Tells what may surprise about a model that was opened by a path: where it is, what was assumed of it and left out.</summary>
    /// <param name="path">The full path that was given.</param>
    /// <param name="model">The model.</param>
    protected void TellOf(string path, Gpt2Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        WarnOfElsewhere(path, model.Prefix);
        if (model.Assumption is { } assumption)
            WriteWarning($"{assumption} Get-Gpt2Model takes it as -HeadCount, every command from a config.json or hparams.json beside the weights.");
        if (model.Contradiction is { } contradiction) WriteWarning(contradiction);
        IReadOnlyList<string> leftOut = model.Parameters.LeftOut, settings = model.UnusedSettings;
        if (leftOut.Count > 0) WriteVerbose($"{model.Name}: left out are tensors that are not a part of a GPT-2: {Excerpt.Of(leftOut)}.");
        if (settings.Count > 0) WriteVerbose($"{model.Name}: its generation_config.json says {Excerpt.Of(settings, max: 8)}, which is not used; parameters say how to generate.");
    }

    /// <summary>
    /// Tells where the weights are not in the folder that was given: its file <c>checkpoint</c>, which may come from anywhere, can name
    /// any place of this machine.
    /// </summary>
    /// <param name="path">The full path that was given.</param>
    /// <param name="prefix">The full path that the checkpoint's files begin with.</param>
    protected void WarnOfElsewhere(string path, string prefix)
    {
        string folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path) ?? path;
        string relative = Path.GetRelativePath(folder, prefix);
        if (Path.IsPathRooted(relative) || relative.Split(Path.DirectorySeparatorChar)[0] == "..") // rooted on another drive of Windows
            WriteWarning($"The file 'checkpoint' in '{folder}' names weights outside of that folder; '{prefix}' is opened.");
    }

    /// <summary>A model with an adapter, where there is one: it is closed with the one that is returned, or at once where that cannot be.</summary>
    private protected Gpt2Model Adapted(Gpt2Model model, string? adapter)
    {
        if (adapter is null) return model;
        try
        {
            return model.WithAdapter(SessionPath.Resolve(SessionState, adapter), ownsModel: true);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Opens a model by name or path.</summary>
    /// <param name="nameOrPath">A name of the catalog, or a path relative to the session's location.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">There is no such model, or its files are not as they should be.</exception>
    protected virtual Gpt2Model OpenModel(string nameOrPath)
    {
        string path = SessionPath.Resolve(SessionState, nameOrPath);
        Gpt2Model model = ModelStore.Default.Open(nameOrPath, path, PrecisionToOpen, _carried?.HeadCount, StopToken);
        if (!ModelCatalog.TryResolve(nameOrPath, out _)) TellOf(path, model);
        return model;
    }

    /// <summary>Whether a parameter was given on the command line, and not by an object of the pipeline.</summary>
    private protected bool IsGiven(string parameter) => (_given ??= new(MyInvocation.BoundParameters.Keys, StringComparer.OrdinalIgnoreCase)).Contains(parameter);

    /// <summary>The fault of a name that no weight has; whoever knows the file's own name of one is told what it is called here.</summary>
    private protected static Gpt2Exception NoWeight(Gpt2Model model, string name)
    {
        const string Wrapper = "transformer.";
        string bare = name.StartsWith(Wrapper, StringComparison.Ordinal) ? name[Wrapper.Length..] : name;
        string? meant = model.Parameters.FirstOrDefault(weight => weight.Stored.Name == name || weight.Stored.Name == bare || weight.Stored.Name == Wrapper + bare)?.Name;
        string hint = meant is null
            ? "its names are like 'wte', 'h0/attn/c_attn/w' and 'ln_f/g', and may have wildcards such as 'h0/*'"
            : $"what its files call so is the weight '{meant}'";
        return new Gpt2Exception(Gpt2Error.TensorNotFound, $"{model.Name} has no weight named '{name}'; {hint}.", model.Path);
    }

    /// <summary>Writes a file or folder that was made, as Get-Item gives it.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="type">A further name of its type, if it has one.</param>
    private protected void WriteItem(string path, string? type = null)
    {
        foreach (PSObject item in InvokeProvider.Item.Get([path], force: true, literalPath: true))
        {
            if (type is not null) item.TypeNames.Insert(0, type);
            WriteObject(item);
        }
    }

    /// <summary>The fault of parameters that do not go together.</summary>
    private protected static Gpt2Exception Refused(string sentence) => new(Gpt2Error.InvalidArgument, sentence);

    // Converts a model's weights, where its precision asks for that, and shows how far it is; or opens them, where they were converted before.
    private void Prepare(Gpt2Model model)
    {
        long start = Stopwatch.GetTimestamp();
        bool isTold = model.Unkept is not null; // when it was converted
        var status = new Lazy<string>(() => model.KeepsConverted ? "once; the next time it is there" : "into memory, since it cannot be kept beside the model");
        var share = new LatestValue<double>();
        using var bar = new ProgressBar(this, $"Converting {model.Name} to {model.Precision}");
        Await(Convert, () => bar.Show(status.Value, share.Value), beside: () => ReadVocabulary(model));
        if (!isTold && model.Unkept is { } unkept) WriteWarning(unkept);
        WriteVerbose(FormattableString.Invariant($"{model.Name}: ready in {model.Precision} after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms."));

        void Convert()
        {
            model.Prepare(share, StopToken);
            _ = FirstPass.Begin(model);
        }
    }

    /// <summary>
    /// Runs work beside the pipeline thread, which alone may write progress. The work ends before this call does, whatever happens.
    /// </summary>
    /// <param name="work">The work; it obeys <see cref="StopToken"/>.</param>
    /// <param name="whileWaiting">Called on this thread five times per second.</param>
    /// <param name="beside">What else is to be done, on this thread, before it waits.</param>
    protected void Await(Action work, Action whileWaiting, Action? beside = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(whileWaiting);
        var task = Task.Run(work);
        WaitHandle finished = ((IAsyncResult)task).AsyncWaitHandle;
        try
        {
            beside?.Invoke();
            while (!finished.WaitOne(Poll)) whileWaiting();
        }
        finally
        {
            if (!task.IsCompleted) _stop.Cancel(); // writing progress throws when the pipeline is stopped
            finished.WaitOne();
            _ = task.Exception;
        }

        task.GetAwaiter().GetResult();
    }

    /// <summary>Opens a model, and makes sure that it can run.</summary>
    /// <param name="reference">The model.</param>
    /// <param name="texts">How many texts are to be read together.</param>
    /// <param name="force">Whether to try where the memory seems too little.</param>
    /// <returns>The model, ready to run.</returns>
    /// <exception cref="Gpt2Exception">There is no such model, or it cannot run.</exception>
    private protected Gpt2Model OpenToRun(Gpt2ModelReference reference, int texts, bool force)
    {
        return OpenToRun([reference], texts, force)[0];
    }

    /// <summary>The same of several models that run at the same time.</summary>
    private protected Gpt2Model[] OpenToRun(IReadOnlyList<Gpt2ModelReference> references, int texts, bool force)
    {
        Gpt2Model[] models = [.. references.Select(Open)];
        foreach (Gpt2Model model in models) model.ThrowIfDisposed();
        CheckMemory(models, texts, force);
        WarnOfThreads();
        foreach (Gpt2Model model in models)
        {
            FirstPass.Rehearse(model.Precision);
            if (model.Precision == Gpt2Precision.Float32) Read(model);
            else Prepare(model);
            if (model.WeightDoubt is { } doubt) WriteWarning(doubt);
        }

        return models;
    }

    /// <summary>Warns, once, of more threads than there are processors.</summary>
    private protected void WarnOfThreads()
    {
        if (!_isWarnedOfThreads && Processors.ExcessOf(WantedThreads) is { } excess) WriteWarning(excess);
        _isWarnedOfThreads = true;
    }

    // A large model is minutes on a slow disk. Whatever is wrong with the weights is told by whoever needs them, which is not what comes next: where
    // more than half of them are there with the vocabulary, the rest will be there in time.
    private void Read(Gpt2Model model)
    {
        Task reading = FirstPass.Begin(model);
        ReadVocabulary(model);
        if (FirstPass.ShareOf(model) > 0.5) return;
        using var bar = new ProgressBar(this, $"Opening {model.Name}");
        while (!reading.Wait((int)Poll.TotalMilliseconds, StopToken)) bar.Show("weights are read and verified", FirstPass.ShareOf(model));
    }

    // Here a stop ends the reading, where it takes long. What is wrong with a vocabulary is told by whoever needs it.
    private void ReadVocabulary(Gpt2Model model)
    {
        try
        {
            if (!model.HasVocabulary) return;
            model.ReadEncoder(StopToken);
            TellOfVocabulary(model);
        }
        catch (Gpt2Exception)
        {
        }
    }

    /// <summary>Warns of what is suspicious about a vocabulary.</summary>
    private protected void TellOfVocabulary(Gpt2Model model)
    {
        foreach (string doubt in model.VocabularyDoubts) WriteWarning(doubt);
    }

    /// <summary>Warns where the machine's memory is scarce for models, and refuses where it cannot do.</summary>
    /// <param name="models">The models, which run at the same time.</param>
    /// <param name="texts">How many texts are read together.</param>
    /// <param name="force">Whether to warn only, whatever the numbers say.</param>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InsufficientMemory"/>: the memory cannot do.</exception>
    private void CheckMemory(Gpt2Model[] models, int texts, bool force)
    {
        try
        {
            if (MemoryCheck.Require(models, texts) is { } warning) WriteWarning(warning);
        }
        catch (Gpt2Exception fault) when (fault.Error == Gpt2Error.InsufficientMemory && force)
        {
            WriteWarning(fault.Message);
        }
        catch (Gpt2Exception fault) when (fault.Error == Gpt2Error.InsufficientMemory)
        {
            throw new Gpt2Exception(fault.Error, $"{fault.Message} Use -Force to try anyway.", fault.Path, fault);
        }
    }

    private static bool IsFault(Exception exception) =>
        exception is Gpt2Exception or IOException or UnauthorizedAccessException or ObjectDisposedException
            or OutOfMemoryException or WildcardPatternException;
}
