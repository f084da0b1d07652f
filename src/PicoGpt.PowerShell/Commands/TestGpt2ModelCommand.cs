using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Verifies every file and every tensor of models: <c>Test-Gpt2Model 124M</c>.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Gpt2Model", DefaultParameterSetName = NameSet, SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Test-Gpt2Model.md")]
[OutputType(typeof(ModelCheck), typeof(bool))]
public sealed class TestGpt2ModelCommand : Gpt2PathCmdlet
{
    private const string NameSet = "Name";
    private const string ModelSet = "Model";

    private readonly HashSet<string> _folders = []; // of files that were piped in: several may be of one model

    /// <summary>Names of models. With wildcards, of those on this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>A model as an object: from <c>Get-Gpt2Model</c>, its folder or a file of it, or a row with its name or path.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ModelSet)]
    [ModelTarget]
    public ModelTarget? Model { get; set; }

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
        if (Model is { } target) PerItem(target, () => Test(target));
        ForEachPath((path, _) => TestFolder(path));
        foreach (string name in Name)
        {
            PerItem(name, () =>
            {
                foreach (ModelTarget model in ModelsOf(name)) PerItem($"{model}", () => Test(model));
            });
        }
    }

    private void Test(ModelTarget target)
    {
        if (target.IsFile && !_folders.Add(System.IO.Path.GetDirectoryName(target.Path(SessionState))!)) return;
        if (target.Model is { IsAdapted: true } adapted) TestAdapted(adapted);
        else if (target.CachedModel(SessionState) is { } model) Test(model);
        else TestFolder(target.Model?.Prefix ?? target.Path(SessionState));
    }

    // Both what it was applied to and the adapter; a copy in memory has no files.
    private void TestAdapted(Gpt2Model model)
    {
        if (model.AdapterOf is { } original)
        {
            if (System.IO.Path.GetDirectoryName(original) is { } folder && ModelStore.Default.ModelAt(folder) is { } cached) Test(cached);
            else TestFolder(original);
        }

        Emit(model.Name, SizeOf(model.Path), (_, _) => FolderChecker.CheckAdapter(model));
    }

    // A folder of the cache is verified against all that is known of its model.
    private void TestFolder(string path)
    {
        if (ModelStore.Default.ModelAt(path) is { } model)
        {
            Test(model);
            return;
        }

        if (Repair)
        {
            WriteError(ErrorRecords.From(
                new Gpt2Exception(
                    Gpt2Error.InvalidArgument, $"'{path}' is not a model of the cache in '{ModelStore.Default.Root}', and only files of the cache are repaired.", path),
                path));
        }

        Emit(System.IO.Path.GetFileName(path), SizeOf(path), (done, token) => FolderChecker.Check(path, done, token));
    }

    private static long SizeOf(string path)
    {
        var folder = new DirectoryInfo(Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(path)!);
        return folder.Exists ? folder.EnumerateFiles().Sum(file => file.Length) : 0;
    }

    private void Test(CatalogModel model)
    {
        if (Repair && ShouldProcess(ModelStore.Default.GetFolder(model), "Fetch again what is broken")) RepairModel(model, OptionsOf(Source));
        Emit(model.Name, ModelStore.Default.Describe(model).SizeOnDisk, (done, token) => ModelStore.Default.Check(model, done, token));
    }

    private void Emit(string name, long size, Func<IProgress<long>, CancellationToken, IEnumerable<ModelCheck>> check)
    {
        bool isValid = true;
        foreach (ModelCheck result in Check(name, size, check))
        {
            isValid &= result.IsValid;
            if (result.Doubt is { } doubt) WriteWarning(doubt);
            if (!Quiet) WriteObject(result);
        }

        if (Quiet) WriteObject(isValid);
    }

    // Each result is waited for beside the pipeline thread: that of a big data file takes seconds.
    private IEnumerable<ModelCheck> Check(string name, long size, Func<IProgress<long>, CancellationToken, IEnumerable<ModelCheck>> check)
    {
        var done = new LatestValue<long>();
        using var bar = new ProgressBar(this, $"Verifying {name}");
        using IEnumerator<ModelCheck> checks = check(done, StopToken).GetEnumerator();
        while (MoveNext(checks, () => bar.Show(done.Value, Math.Max(1, size))))
            yield return checks.Current;
    }

    private bool MoveNext(IEnumerator<ModelCheck> checks, Action whileWaiting)
    {
        bool has = false;
        Await(() => has = checks.MoveNext(), whileWaiting);
        return has;
    }
}
