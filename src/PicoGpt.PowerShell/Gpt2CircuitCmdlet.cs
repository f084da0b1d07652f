using System.Management.Automation;
using PicoGpt.Machine;

namespace PicoGpt.PowerShell;

/// <summary>A command that runs models to find out what their parts do.</summary>
public abstract class Gpt2CircuitCmdlet : Gpt2FetchingCmdlet
{
    private Gpt2ModelReference? _default;

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference? Model { get; set; }

    /// <summary>Threads to compute with; 0 for one per physical core.</summary>
    [Parameter]
    [ValidateRange(0, Processors.MaxThreads)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Threads { get; set; }

    /// <summary>How the matrices are held: Float32 (exact), Float16, BFloat16, Int8 or Int4.</summary>
    [Parameter]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string? Precision { get; set; }

    /// <summary>Go on where the memory seems too little for the model.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override int WantedThreads => Threads;

    /// <inheritdoc/>
    protected override Gpt2Precision? WantedPrecision => Precision is null ? null : Enum.Parse<Gpt2Precision>(Precision);

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(Model, () => Take(OpenToRun(Model ?? (_default ??= DefaultModel()), texts: 1, Force)));

    /// <summary>Does the work with a model that is ready to run.</summary>
    /// <param name="model">The model.</param>
    private protected abstract void Take(Gpt2Model model);

    /// <summary>Runs work beside the pipeline thread, under a bar of progress.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="what">What is done.</param>
    /// <param name="share">How much of it is done, from 0 to 1.</param>
    /// <param name="work">The work; it heeds the token of the command.</param>
    /// <returns>What the work gives.</returns>
    private protected T Work<T>(string what, Func<double> share, Func<T> work)
    {
        T result = default!;
        using var bar = new ProgressBar(this, what);
        Await(() => result = work(), () => bar.Show($"{Math.Round(100 * share())} %", share()));
        return result;
    }
}
