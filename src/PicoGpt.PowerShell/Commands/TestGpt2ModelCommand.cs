using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Verifies every file and every tensor of models: <c>Test-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Gpt2Model", SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Test-Gpt2Model.md")]
[OutputType(typeof(ModelCheck), typeof(bool))]
public sealed class TestGpt2ModelCommand : Gpt2FetchingCmdlet
{
    /// <summary>Names of models. With wildcards, of those on this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>Emit only whether nothing is wrong.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>Fetch again what is broken, and only that.</summary>
    [Parameter]
    public SwitchParameter Repair { get; set; }

    /// <summary>Base addresses to repair from, tried in order.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Source { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name)
        {
            PerItem(name, () =>
            {
                foreach (CatalogModel model in ModelsOf(name)) PerItem(model.Name, () => Test(model));
            });
        }
    }

    private void Test(CatalogModel model)
    {
        if (Repair && ShouldProcess(ModelStore.Default.GetFolder(model), "Fetch again what is broken")) RepairModel(model, OptionsOf(Source));
        bool isValid = true;
        foreach (ModelCheck check in Check(model))
        {
            isValid &= check.IsValid;
            if (!Quiet) WriteObject(check);
        }

        if (Quiet) WriteObject(isValid);
    }

    // Each result is waited for beside the pipeline thread: that of a big data file takes seconds.
    private IEnumerable<ModelCheck> Check(CatalogModel model)
    {
        var done = new LatestValue<long>();
        long total = Math.Max(1, ModelStore.Default.Describe(model).SizeOnDisk);
        using var bar = new ProgressBar(this, $"Verifying {model.Name}");
        using IEnumerator<ModelCheck> checks = ModelStore.Default.Check(model, done, StopToken).GetEnumerator();
        while (MoveNext(checks, () => bar.Show(done.Value, total)))
            yield return checks.Current;
    }

    private bool MoveNext(IEnumerator<ModelCheck> checks, Action whileWaiting)
    {
        bool has = false;
        Await(() => has = checks.MoveNext(), whileWaiting);
        return has;
    }
}
