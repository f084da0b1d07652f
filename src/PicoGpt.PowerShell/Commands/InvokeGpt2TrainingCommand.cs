using System.Management.Automation;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Training;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Teaches a model texts: <c>Get-ChildItem *.txt | Invoke-Gpt2Training -Model 124M -Destination ./mine</c>.</summary>
[Cmdlet(
    VerbsLifecycle.Invoke, "Gpt2Training", DefaultParameterSetName = InputSet, SupportsShouldProcess = true,
    HelpUri = HelpAddress.Pages + "Invoke-Gpt2Training.md")]
[OutputType(typeof(Gpt2TrainingStep), typeof(DirectoryInfo), typeof(FileInfo))]
public sealed class InvokeGpt2TrainingCommand : Gpt2TextCmdlet
{
    // Adapters begin at nothing, and move further than the weights themselves may.
    private const double AdapterLearningRate = 1e-3;

    // Of a text that was read so often little is left to learn but its words.
    private const int ManyEpochs = 30;

    private const double LeastRateFromNothing = 3e-4;

    private readonly List<int> _tokens = [];
    private Gpt2Exception? _reportFault; // of the last attempt to write the report
    private bool _cannotSave;

    /// <summary>The texts.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>The folder of the new model.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string Destination { get; set; } = "";

    /// <summary>Updates of the weights.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Steps { get; set; } = 200;

    /// <summary>How often the text is read, instead of <see cref="Steps"/>.</summary>
    [Parameter]
    [InRange(0, float.MaxValue, Above = true)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double Epochs { get; set; }

    /// <summary>Texts that are read together.</summary>
    [Parameter]
    [ValidateRange(1, 1024)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int BatchSize { get; set; } = 4;

    /// <summary>Tokens of a text; 256 by default, or the model's context where that is shorter.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int ContextLength { get; set; }

    /// <summary>Batches whose gradients are added for an update.</summary>
    [Parameter]
    [ValidateRange(1, 65536)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int GradientAccumulation { get; set; } = 1;

    /// <summary>The greatest learning rate.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double LearningRate { get; set; } = 1e-4;

    /// <summary>Steps in which the learning rate rises.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int WarmupSteps { get; set; } = 10;

    /// <summary>AdamW's weight decay.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double WeightDecay { get; set; } = 0.01;

    /// <summary>How much of the gradient's first moment stays at each step.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double Beta1 { get; set; } = 0.9;

    /// <summary>How much of the gradient's second moment stays at each step.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double Beta2 { get; set; } = 0.999;

    /// <summary>The greatest norm of the gradient; 0 for no limit.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double ClipNorm { get; set; } = 1;

    /// <summary>What the order of the text depends on.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public ulong Seed { get; set; } = 1;

    /// <summary>The share of the text that is held out to validate with.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double ValidationShare { get; set; } = 0.05;

    /// <summary>Files of text to validate with, instead of a share of the texts; wildcards are allowed.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] ValidationPath { get; set; } = [];

    /// <summary>Files of text to validate with, taken literally.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] ValidationLiteralPath { get; set; } = [];

    /// <summary>Steps after which the model is validated; 0 for never.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int EvaluateEvery { get; set; } = 25;

    /// <summary>Stop when the validation loss has not fallen for so many validations, and keep the model of the least; 0 for never.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Patience { get; set; }

    /// <summary>Steps after which the model writes a sample; 0 for never.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int SampleEvery { get; set; }

    /// <summary>What samples begin with.</summary>
    [Parameter]
    public string SamplePrompt { get; set; } = "";

    /// <summary>Steps after which a checkpoint is written; 0 for at the end only.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int SaveEvery { get; set; } = 100;

    /// <summary>Write the curves of the losses to this file: a page for a browser, or a picture where its name ends in <c>.svg</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string? Report { get; set; }

    /// <summary>Names or wildcard patterns of weights that stay as they are.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(WeightNameCompleter))]
    public string[] Freeze { get; set; } = [];

    /// <summary>The rank of low-rank adapters that are trained in place of the weights; 0 to train the weights.</summary>
    [Parameter]
    [ValidateRange(0, 4096)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Rank { get; set; }

    /// <summary>What the adapters' part is multiplied by, times the rank; twice the rank by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public double Alpha { get; set; }

    /// <summary>Compute what passes through a block again instead of keeping it.</summary>
    [Parameter]
    public SwitchParameter LowMemory { get; set; }

    /// <summary>Continue the training of the folder.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Threads to compute with; 0 for one per physical core.</summary>
    [Parameter]
    [ValidateRange(0, Processors.MaxThreads)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Threads { get; set; }

    /// <summary>Write to a folder that is not empty.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override int WantedThreads => Threads;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    private bool HasValidationTexts => ValidationPath.Length + ValidationLiteralPath.Length > 0;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _ = SetUp<object?>(null, () =>
        {
            if (IsGiven(nameof(Steps)) && IsGiven(nameof(Epochs))) throw Refused("-Steps and -Epochs both say how long to train; leave one of them out.");
            if (IsGiven(nameof(ValidationShare)) && HasValidationTexts)
                throw Refused("The texts of -ValidationPath are what is validated with; leave -ValidationShare out, or them.");
            if (Patience > 0 && EvaluateEvery == 0) throw Refused("-Patience counts validations, which -EvaluateEvery 0 leaves out; leave one of them out.");
            return null;
        });
        base.BeginProcessing();
    }

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model)
    {
        _tokens.Clear();
        (_reportFault, _cannotSave) = (null, false);
        TellOfVocabulary(Open(model));
    }

    /// <inheritdoc/>
    private protected override void Take(SourceText text) => AddTo(_tokens, text.Ids ?? InUse.Encoder.Encode(text.Text, AllowSpecial));

    /// <inheritdoc/>
    private protected override void Finish()
    {
        string folder = SessionPath.Resolve(SessionState, Destination);
        string? report = Report is null ? null : SessionPath.Resolve(SessionState, Report);
        if (_tokens.Count == 0) throw Refused("There is no text to train with.");
        if (report is not null && !Force && !Resume && System.IO.Path.Exists(report)) throw UnwritableFile.Exists(report);
        if (!ShouldProcess(folder, FormattableString.Invariant($"Train {InUse.Name} on {_tokens.Count:N0} tokens"))) return;
        if (report is not null) UnwritableFile.ThrowIfUnwritable(System.IO.Path.GetDirectoryName(report)!); // which writes, and so not by -WhatIf
        int[] tokens = [.. _tokens], validation = ValidationTokens();
        using TrainingRun run = Resume
            ? TrainingRun.Resume(folder, tokens, options => Changed(options, tokens.Length), IsGiven(nameof(Freeze)) ? Frozen() : null, InUse, validation)
            : TrainingRun.Begin(InUse, folder, tokens, Changed(new TrainingOptions(), tokens.Length), Frozen(), Force, validation);
        WriteVerbose(
            FormattableString.Invariant($"{run.Model.Name}: {run.TrainedCount:N0} of {run.Model.ParameterCount:N0} parameters trained, {TrainingMemory.Of(run.Model.HyperParameters, run.Options)}; {run.Options.Steps:N0} steps of ")
                + FormattableString.Invariant($"{run.Options.BatchSize * run.Options.GradientAccumulation} windows of {run.Options.ContextLength} tokens, of which the text has {run.Windows:N0}."));
        WarnOfTheText(run);
        WarnOfThreads();
        if (InUse.WeightDoubt is { } doubt) WriteWarning(doubt);
        Train(run, report);
        WriteItem(folder, "PicoGpt.PowerShell.TrainedFolder"); // which PicoGpt.Types.ps1xml shows on a line
        if (_reportFault is not null) throw _reportFault;
        if (report is not null) WriteItem(report);
    }

    // <|endoftext|> stands before each text, as in what the model was made from.
    private void AddTo(List<int> tokens, IReadOnlyList<int> text)
    {
        if (InUse.Encoder.EndOfText is { } endOfText) tokens.Add(endOfText);
        tokens.AddRange(text);
    }

    private int[] ValidationTokens()
    {
        List<int> tokens = [];
        IEnumerable<string> files = ValidationLiteralPath.Select(path => SessionPath.Resolve(SessionState, path))
            .Concat(ValidationPath.SelectMany(path => SessionPath.Expand(SessionState, path)));
        foreach (string file in files) AddTo(tokens, InUse.Encoder.Encode(TextFile.Read(file), AllowSpecial));
        return [.. tokens];
    }

    private void WarnOfTheText(TrainingRun run)
    {
        if (EvaluateEvery > 0 && !run.CanEvaluate && run.Options.ValidationShare > 0)
        {
            WriteWarning(
                FormattableString.Invariant($"The share of the text that is held out, {run.Options.ValidationShare:0.##}, is shorter than a window of {run.Options.ContextLength} tokens, so nothing is ")
                + "validated. Give more text, a larger -ValidationShare or a shorter -ContextLength.");
        }

        double epochs = (double)run.Options.Steps * run.Options.BatchSize * run.Options.GradientAccumulation / run.Windows;
        if (Patience > 0 && !run.CanEvaluate) WriteWarning("Nothing is validated, so -Patience cannot end the training.");
        if (epochs > ManyEpochs && Patience == 0)
        {
            WriteWarning(
                FormattableString.Invariant($"The text is short: in {run.Options.Steps:N0} steps each part of it is read {epochs:N0} times, and the model will learn it by heart. ")
                + "Give more text or fewer -Steps, or stop in time with -Patience 3.");
        }
    }

    private void Train(TrainingRun run, string? report)
    {
        bool isDone = false, isFault = false;
        using var bar = new ProgressBar(this, $"Training {run.Model.Name}");
        var clock = new TrainingClock(run.Step);
        int began = run.Step;
        try
        {
            while (run.Step < run.Options.Steps && !HasLostPatience(run))
            {
                Gpt2TrainingStep step = Next(run, bar, clock);
                bool isBest = Patience > 0 && step.ValidationLoss is not null && run.Best?.Step == run.Step;
                if (isBest || (SaveEvery > 0 && run.Step % SaveEvery == 0)) Save(run, bar, report);
                if (step.Step == began + 1) WarnOfNothing(run, step);
                WriteObject(step);
            }

            KeepLastOrBest(run, bar, report);
            if (began == run.Options.Steps) Tell(FormattableString.Invariant($"All {began:N0} steps of the training were done already. To teach the model more, train it to another folder: -Model '{run.Folder}'."));
            isDone = true;
        }
        catch (Gpt2Exception)
        {
            isFault = true;
            throw;
        }
        finally
        {
            if (!isDone && run.Step > began) Interrupted(run, report, isFault);
        }
    }

    private void KeepLastOrBest(TrainingRun run, ProgressBar bar, string? report)
    {
        if (Patience == 0 || run.Best is not { } best || best.Step == run.Step)
        {
            Save(run, bar, report);
            return;
        }

        if (run.ReturnToBest() != best.Step) Save(run, bar, report); // that of the least loss is of an earlier command, which did not keep it
        else SaveReport(run, report);
        string ended = run.Step < run.Options.Steps ? $"The training ended after step {run.Step}: the validation loss had not fallen for {Patience} validations. " : "";
        Tell(FormattableString.Invariant($"{ended}The model is that of step {best.Step}, with the least validation loss, {best.Loss:F4}."));
    }

    private void Tell(string sentence) => WriteInformation(new HostInformationMessage { Message = Format.Visible(sentence) }, ["PSHOST"]);

    private bool HasLostPatience(TrainingRun run) =>
        Patience > 0 && run.Best is { } best && run.Validations.Count(validation => validation.Step > best.Step) >= Patience;

    private void Save(TrainingRun run, ProgressBar bar, string? report)
    {
        _cannotSave = true;
        Await(() => run.Save(StopToken), () => bar.Show("writing a checkpoint", Share(run)));
        _cannotSave = false;
        SaveReport(run, report);
    }

    // The training is worth more than its report, and goes on without.
    private void SaveReport(TrainingRun run, string? report)
    {
        if (report is null) return;
        _reportFault = null;
        try
        {
            new TrainingReport(run).Save(report, overwrite: true);
        }
        catch (Gpt2Exception fault)
        {
            _reportFault = fault;
        }
    }

    // A step that was cut short changed nothing: what is done is kept.
    private void Interrupted(TrainingRun run, string? report, bool isFault)
    {
        if (isFault && _cannotSave) return; // which is being told
        string sentence;
        try
        {
            run.Save(CancellationToken.None);
            SaveReport(run, report);
            sentence = Stopped(run) + (_reportFault is null ? "" : $" {_reportFault.Message}");
        }
        catch (Gpt2Exception fault) when (!isFault)
        {
            sentence = $"The training was stopped after step {run.Step} of {run.Options.Steps}, which could not be saved. {fault.Message}";
        }

        if (isFault) return;
        try
        {
            WriteWarning(sentence);
        }
        catch (PipelineStoppedException)
        {
            Host?.UI?.WriteWarningLine(Format.Visible(sentence)); // of a pipeline that is stopped only the host shows anything
        }
    }

    private string Stopped(TrainingRun run)
    {
        bool isComplete = run.Step == run.Options.Steps && Patience == 0; // with patience the model of an earlier step may be the one to keep
        return isComplete
            ? $"The training was stopped after its last step, {run.Step}, which is saved in '{run.Folder}': it is complete."
            : $"The training was stopped after step {run.Step} of {run.Options.Steps}, which is saved in '{run.Folder}'. To go on, give the same texts to: "
                + ContinuedCommand.Of(MyInvocation, nameof(Resume));
    }

    private Gpt2TrainingStep Next(TrainingRun run, ProgressBar bar, TrainingClock clock)
    {
        Gpt2TrainingStep? step = null;
        double? loss = null;
        string? sample = null;
        int steps = run.Options.Steps;
        TimeSpan? timeLeft = clock.TimeLeft(run.Step, steps);
        string status = $"step {run.Step + 1} of {steps}" + (run.Losses.Count > 0 ? FormattableString.Invariant($", loss {run.Losses[^1]:F2}") : "");
        void Show() => bar.Show(status, Share(run), timeLeft);
        clock.Measure(() => Await(() => step = run.Next(StopToken), Show));
        bool isLast = run.Step == steps;
        if (EvaluateEvery > 0 && (run.Step % EvaluateEvery == 0 || isLast)) Await(() => loss = run.Evaluate(StopToken), Show);
        if (SampleEvery > 0 && run.Step % SampleEvery == 0) Await(() => sample = Sample(run), Show);
        if (sample is not null) run.AddSample(sample);
        return step! with
        {
            ValidationLoss = loss,
            Sample = sample,
            TokensPerSecond = clock.PerSecond(run.Step, step.Tokens),
            Elapsed = clock.Elapsed,
            TimeLeft = clock.TimeLeft(run.Step, steps) ?? TimeSpan.Zero,
        };
    }

    private void WarnOfNothing(TrainingRun run, Gpt2TrainingStep step)
    {
        double guessing = Math.Log(run.Model.HyperParameters.NVocab);
        if (step.Step > 1 || step.Loss < guessing - 0.5 || run.Options.LearningRate >= LeastRateFromNothing) return;
        WriteWarning(
            FormattableString.Invariant($"The model knows nothing yet: its first loss, {step.Loss:F2}, is that of guessing. To learn from nothing takes thousands of steps, ")
            + "and a learning rate such as -LearningRate 1e-3.");
    }

    private string Sample(TrainingRun run)
    {
        var options = new GenerationOptions { MaxTokens = 60, Temperature = 1, TopK = 40, Seed = run.Step, Threads = Threads };
        return TextGeneration.Run(run.Model, SamplePrompt, options, StopToken).Text;
    }

    private static double Share(TrainingRun run) => (double)run.Step / run.Options.Steps;

    private List<string> Frozen()
    {
        List<string> frozen = [];
        foreach (string name in Freeze)
        {
            WildcardPattern pattern = NamePattern.Of(name);
            string[] found = [.. InUse.Parameters.Select(weight => weight.Name).Where(pattern.IsMatch)];
            if (found.Length == 0) throw NoWeight(InUse, name);
            frozen.AddRange(found.Except(frozen));
        }

        return frozen;
    }

    // Only what is given, so that a training is resumed with the options that it has.
    private TrainingOptions Changed(TrainingOptions options, int tokens)
    {
        TrainingOptions changed = Given(options);
        int context = InUse.HyperParameters.NCtx;
        if (IsGiven(nameof(Epochs))) changed = (HasValidationTexts ? changed with { ValidationShare = 0 } : changed).ForEpochs(Epochs, tokens, context);
        TrainingMemory need = TrainingMemory.Of(InUse.HyperParameters, changed);
        TrainingOptions low = changed with { LowMemory = true };
        long free = AvailableMemory.Bytes;
        if (need.Total <= free || TrainingMemory.Of(InUse.HyperParameters, low).Total > free) return changed;
        WriteWarning($"The training would take {need}, and {Format.Bytes(free)} are free, so it is done as with -LowMemory: the same bits in more time.");
        return low;
    }

    private TrainingOptions Given(TrainingOptions options) => options with
    {
        Steps = Of(nameof(Steps), Steps, options.Steps),
        BatchSize = Of(nameof(BatchSize), BatchSize, options.BatchSize),
        ContextLength = Of(nameof(ContextLength), ContextLength, options.ContextLength),
        GradientAccumulation = Of(nameof(GradientAccumulation), GradientAccumulation, options.GradientAccumulation),
        LearningRate = Of(nameof(LearningRate), LearningRate, Rank > 0 && !Resume ? AdapterLearningRate : options.LearningRate),
        WarmupSteps = Of(nameof(WarmupSteps), WarmupSteps, options.WarmupSteps),
        WeightDecay = Of(nameof(WeightDecay), WeightDecay, options.WeightDecay),
        Beta1 = Of(nameof(Beta1), Beta1, options.Beta1),
        Beta2 = Of(nameof(Beta2), Beta2, options.Beta2),
        ClipNorm = Of(nameof(ClipNorm), ClipNorm, options.ClipNorm),
        Seed = Of(nameof(Seed), Seed, options.Seed),
        ValidationShare = Of(nameof(ValidationShare), ValidationShare, options.ValidationShare),
        Rank = Of(nameof(Rank), Rank, options.Rank),
        Alpha = Of(nameof(Alpha), Alpha, options.Alpha),
        LowMemory = Of(nameof(LowMemory), LowMemory.IsPresent, options.LowMemory),
        Threads = Of(nameof(Threads), Threads, options.Threads),
    };

    private T Of<T>(string name, T given, T standard) => IsGiven(name) ? given : standard;
}
