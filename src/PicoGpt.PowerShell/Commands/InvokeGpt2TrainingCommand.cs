using System.Diagnostics;
using System.Management.Automation;
using PicoGpt.Inference;
using PicoGpt.Training;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Teaches a model texts: <c>Get-ChildItem *.txt | Invoke-Gpt2Training -Model 124M -Destination ./mine</c>.</summary>
[Cmdlet(
    VerbsLifecycle.Invoke, "Gpt2Training", DefaultParameterSetName = InputSet, SupportsShouldProcess = true,
    HelpUri = HelpAddress.Pages + "Invoke-Gpt2Training.md")]
[OutputType(typeof(Gpt2TrainingStep), typeof(DirectoryInfo))]
public sealed class InvokeGpt2TrainingCommand : Gpt2TextCmdlet
{
    // Adapters begin at nothing, and move further than the weights themselves may.
    private const double AdapterLearningRate = 1e-3;

    private readonly List<int> _tokens = [];

    /// <summary>The texts.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>The folder of the new model.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Updates of the weights.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Steps { get; set; } = 200;

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

    /// <summary>Steps after which the model is validated; 0 for never.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int EvaluateEvery { get; set; } = 25;

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
    [ValidateRange(0, 1024)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Threads { get; set; }

    /// <summary>Write to a folder that is not empty.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model)
    {
        _tokens.Clear();
        _ = Open(model);
    }

    /// <inheritdoc/>
    private protected override void Take(SourceText text)
    {
        if (InUse.Encoder.EndOfText is { } endOfText) _tokens.Add(endOfText); // it stands before each text, as in what the model was made from
        _tokens.AddRange(text.Ids ?? InUse.Encoder.Encode(text.Text, AllowSpecial));
    }

    /// <inheritdoc/>
    private protected override void Finish()
    {
        string folder = SessionPath.Resolve(SessionState, Destination);
        if (_tokens.Count == 0) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "There is no text to train with.");
        if (!ShouldProcess(folder, $"Train {InUse.Name} on {_tokens.Count:N0} tokens")) return;
        int[] tokens = [.. _tokens];
        using TrainingRun run = Resume
            ? TrainingRun.Resume(folder, tokens, Changed, IsGiven(nameof(Freeze)) ? Frozen() : null, InUse)
            : TrainingRun.Begin(InUse, folder, tokens, Changed(new TrainingOptions()), Frozen(), Force);
        WriteVerbose($"{run.Model.Name}: {run.TrainedCount:N0} of {run.Model.ParameterCount:N0} parameters trained, {Format.Bytes(run.StateSize)} for them, their gradients and moments; texts of {run.Options.ContextLength} tokens.");
        WarnOfNoValidation(run);
        Train(run);
        foreach (PSObject item in InvokeProvider.Item.Get([folder], force: true, literalPath: true))
        {
            item.TypeNames.Insert(0, "PicoGpt.PowerShell.TrainedFolder"); // which PicoGpt.Types.ps1xml shows on a line
            WriteObject(item);
        }
    }

    private void WarnOfNoValidation(TrainingRun run)
    {
        if (EvaluateEvery == 0 || run.CanEvaluate || run.Options.ValidationShare == 0) return;
        WriteWarning(
            $"The share of the text that is held out, {run.Options.ValidationShare:0.##}, is shorter than a window of {run.Options.ContextLength} tokens, so nothing is "
            + "validated. Give more text, a larger -ValidationShare or a shorter -ContextLength.");
    }

    private void Train(TrainingRun run)
    {
        bool isDone = false;
        using var bar = new ProgressBar(this, $"Training {run.Model.Name}");
        long start = Stopwatch.GetTimestamp();
        int began = run.Step;
        TimeSpan stepping = TimeSpan.Zero;
        try
        {
            while (run.Step < run.Options.Steps)
            {
                Gpt2TrainingStep step = Next(run, bar, ref stepping, began, start);
                if (SaveEvery > 0 && run.Step % SaveEvery == 0) Await(() => run.Save(StopToken), () => bar.Show("writing a checkpoint", Share(run)));
                WriteObject(step);
            }

            Await(() => run.Save(StopToken), () => bar.Show("writing the model", Share(run)));
            isDone = true;
        }
        finally
        {
            // A step that was cut short changed nothing: what is done is kept.
            if (!isDone && run.Step > began) run.Save(CancellationToken.None);
        }
    }

    private Gpt2TrainingStep Next(TrainingRun run, ProgressBar bar, ref TimeSpan stepping, int began, long start)
    {
        Gpt2TrainingStep? step = null;
        double? loss = null;
        string? sample = null;
        long begin = Stopwatch.GetTimestamp();
        int left = run.Options.Steps - run.Step;
        TimeSpan? timeLeft = run.Step > began ? stepping / (run.Step - began) * left : null;
        void Show() => bar.Show($"step {run.Step + 1} of {run.Options.Steps}", Share(run), timeLeft);
        Await(() => step = run.Next(StopToken), Show);
        stepping += Stopwatch.GetElapsedTime(begin);
        bool isLast = run.Step == run.Options.Steps;
        if (EvaluateEvery > 0 && (run.Step % EvaluateEvery == 0 || isLast)) Await(() => loss = run.Evaluate(StopToken), Show);
        if (SampleEvery > 0 && run.Step % SampleEvery == 0) Await(() => sample = Sample(run), Show);
        return step! with
        {
            ValidationLoss = loss,
            Sample = sample,
            TokensPerSecond = step.Tokens * (run.Step - began) / stepping.TotalSeconds,
            Elapsed = Stopwatch.GetElapsedTime(start),
            TimeLeft = stepping / (run.Step - began) * (run.Options.Steps - run.Step),
        };
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
            if (found.Length == 0)
                throw new Gpt2Exception(Gpt2Error.TensorNotFound, $"{InUse.Name} has no weight named '{name}' to freeze; its names are like 'wte' and 'h0/attn/c_attn/w'.");
            frozen.AddRange(found.Except(frozen));
        }

        return frozen;
    }

    // Only what is given, so that a training is resumed with the options that it has.
    private TrainingOptions Changed(TrainingOptions options) => options with
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
