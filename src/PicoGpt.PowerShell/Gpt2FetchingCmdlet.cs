using System.Management.Automation;
using PicoGpt.Store;
using PicoGpt.Tokens;

namespace PicoGpt.PowerShell;

/// <summary>A command that fetches what it needs of a model, and shows how far it is.</summary>
public abstract class Gpt2FetchingCmdlet : Gpt2Cmdlet
{
    private const int ModelActivity = 0x4750_5432;
    private const int FileActivity = ModelActivity + 1;

    /// <summary>Opens a model of the catalog, fetching first what of it is not here.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How to fetch it; <see langword="null"/> for the defaults.</param>
    /// <returns>The open model.</returns>
    /// <exception cref="Gpt2Exception">It cannot be fetched, or its files are not as they should be.</exception>
    protected Gpt2Model FetchAndOpen(CatalogModel model, DownloadOptions? options = null)
    {
        Fetch(model, options);
        return ModelStore.Default.Open(model, PrecisionToOpen, StopToken);
    }

    /// <summary>The tokenizer of a model, or of a folder that has a vocabulary alone; of a model that is not here, only its two files are fetched.</summary>
    /// <param name="reference">What the parameter was given.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="Gpt2Exception">There is no such model, or its files cannot be had.</exception>
    protected Tokenizer OpenEncoder(Gpt2ModelReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.NameOrPath is not { } name) return Open(reference).ReadEncoder(StopToken);
        if (!ModelCatalog.TryResolve(name, out CatalogModel? model))
            return OpenEncoder(reference, SessionPath.Resolve(SessionState, name));
        Fetch(model, new DownloadOptions { Files = model.IsBuiltIn ? null : ["encoder.json", "vocab.bpe"] });
        return Tokenizer.Load(ModelStore.Default.GetFolder(model), StopToken);
    }

    // Weights that cannot be opened cost nobody the vocabulary that lies beside them.
    private Tokenizer OpenEncoder(Gpt2ModelReference reference, string path)
    {
        if (ModelFiles.OpenVocabulary(path, besideWeights: false, StopToken) is { } alone) return alone;
        try
        {
            return Open(reference).ReadEncoder(StopToken);
        }
        catch (Gpt2Exception fault)
        {
            if (ModelFiles.OpenVocabulary(path, besideWeights: true, StopToken) is not { } tokenizer) throw;
            WriteVerbose($"The vocabulary is read without the weights beside it, which cannot be opened: {fault.Message}");
            return tokenizer;
        }
    }

    /// <summary>Fetches what of a model is not here.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How to fetch it; <see langword="null"/> for the defaults.</param>
    /// <exception cref="Gpt2Exception">It cannot be fetched.</exception>
    protected void Fetch(CatalogModel model, DownloadOptions? options = null)
    {
        var downloader = new ModelDownloader(ModelStore.Default);
        Watch(model, downloader, token => downloader.FetchAsync(model, options, token));
    }

    /// <summary>Fetches again what of a model is broken.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How to fetch it; <see langword="null"/> for the defaults.</param>
    /// <exception cref="Gpt2Exception">It cannot be fetched.</exception>
    protected void RepairModel(CatalogModel model, DownloadOptions? options = null)
    {
        var downloader = new ModelDownloader(ModelStore.Default);
        Watch(model, downloader, token => downloader.RepairAsync(model, options, token));
    }

    /// <inheritdoc/>
    protected override Gpt2Model OpenModel(string nameOrPath) =>
        ModelCatalog.TryResolve(nameOrPath, out CatalogModel? model) ? FetchAndOpen(model) : base.OpenModel(nameOrPath);

    /// <summary>The options that a <c>-Source</c> parameter asks for.</summary>
    /// <param name="source">Base addresses, or <see langword="null"/>.</param>
    /// <returns>The options.</returns>
    /// <exception cref="Gpt2Exception">An address cannot be used.</exception>
    protected static DownloadOptions OptionsOf(string[]? source) =>
        source is null ? new DownloadOptions() : new DownloadOptions { Sources = [.. source.SelectMany(ModelSource.ParseList)] };

    private void Watch(CatalogModel model, ModelDownloader downloader, Func<CancellationToken, Task> work)
    {
        bool shown = false;
        try
        {
            Await(() => work(StopToken).GetAwaiter().GetResult(), () =>
            {
                shown = true;
                Show(model, downloader.Progress);
            });
        }
        finally
        {
            if (shown) Hide(model);
        }
    }

    private void Show(CatalogModel model, DownloadProgress progress)
    {
        WriteProgress(new ProgressRecord(ModelActivity, $"Fetching {model.Name}", Format.Visible(Status(progress)))
        {
            PercentComplete = Percent(progress.ModelBytes, progress.ModelTotal),
            SecondsRemaining = progress.TimeLeft is { } left ? (int)Math.Min(left.TotalSeconds, int.MaxValue) : -1,
        });
        if (progress.File.Length == 0) return;
        WriteProgress(new ProgressRecord(FileActivity, progress.File, $"{Format.Bytes(progress.FileBytes)} of {Format.Bytes(progress.FileTotal ?? 0)}")
        {
            ParentActivityId = ModelActivity,
            PercentComplete = Percent(progress.FileBytes, progress.FileTotal ?? 0),
        });
    }

    private static string Status(DownloadProgress progress) => progress.State switch
    {
        DownloadState.Waiting => $"waiting for {progress.Detail}",
        DownloadState.Retrying => $"trying again: {progress.Detail}",
        DownloadState.Verifying => $"verifying {progress.File}",
        _ => $"{Format.Bytes(progress.ModelBytes)} of {Format.Bytes(progress.ModelTotal)}, {Format.Bytes((long)progress.BytesPerSecond)}/s",
    };

    private static int Percent(long done, long total) => total > 0 ? (int)Math.Clamp(done * 100 / total, 0, 100) : -1;

    private void Hide(CatalogModel model)
    {
        foreach (int activity in (int[])[FileActivity, ModelActivity])
            WriteProgress(new ProgressRecord(activity, $"Fetching {model.Name}", "done") { RecordType = ProgressRecordType.Completed });
    }
}
