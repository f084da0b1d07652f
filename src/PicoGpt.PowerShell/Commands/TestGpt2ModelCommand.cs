using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Verifies every file and every tensor of models: <c>Test-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Gpt2Model", SupportsShouldProcess = true)]
[OutputType(typeof(ModelCheck), typeof(bool))]
public sealed class TestGpt2ModelCommand : Gpt2FetchingCmdlet
{
    /// <summary>Names of models.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
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
        foreach (string name in Name) PerItem(name, () => Test(name));
    }

    private void Test(string name)
    {
        if (!ModelCatalog.TryResolve(name, out CatalogModel? model)) throw ModelCatalog.Unknown(name);
        if (Repair && ShouldProcess(ModelStore.Default.GetFolder(model), "Fetch again what is broken")) RepairModel(model, OptionsOf(Source));
        bool isValid = true;
        foreach (ModelCheck check in ModelStore.Default.Check(model, cancellationToken: StopToken))
        {
            isValid &= check.IsValid;
            if (!Quiet) WriteObject(check);
        }

        if (Quiet) WriteObject(isValid);
    }
}
