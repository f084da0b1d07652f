using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>
/// Fetches models into a store: resumed where an earlier attempt ended, verified before a file gets its name, by one process at a time.
/// One object fetches one model at a time; <see cref="Progress"/> may be read from any thread meanwhile.
/// </summary>
/// <param name="store">Where the files go.</param>
public sealed class ModelDownloader(ModelStore store)
{
    private readonly ProgressMeter _meter = new(TimeProvider.System);

    /// <summary>How far the download is at this moment.</summary>
    public DownloadProgress Progress => _meter.Current;

    /// <summary>What <see cref="FetchAsync"/> would do now.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How to fetch it; <see langword="null"/> for the defaults.</param>
    /// <returns>The files that are missing, where they would come from, and where they would go.</returns>
    /// <exception cref="Gpt2Exception">A file's name is not one of the model's, or an address cannot be used.</exception>
    public DownloadPlan Plan(CatalogModel model, DownloadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new DownloadOptions();
        string folder = store.GetFolder(model);
        CatalogFile[] files =
        [
            .. Selected(model, options).Where(file => options.Force || !file.IsIn(folder)).OrderBy(file => file.Size ?? 0),
        ];
        long present = options.Force ? 0 : files.Sum(file => PartFile.DoneLengthOf(Path.Combine(folder, file.Name)));
        long bytes = Math.Max(0, files.Sum(file => file.Size ?? 0) - present);
        return new DownloadPlan(model, files, bytes, options.Sources ?? ModelSource.FromEnvironment(), folder);
    }

    /// <summary>Fetches what is missing of a model; does nothing when all is here.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How to fetch it; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Ends the download within a second; what has arrived is kept for the next one.</param>
    /// <exception cref="Gpt2Exception">A file cannot be fetched, verified or written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task FetchAsync(CatalogModel model, DownloadOptions? options = null, CancellationToken cancellationToken = default) =>
        RunAsync(model, options ?? new DownloadOptions(), repair: false, cancellationToken);

    /// <summary>Checks all files of a model and fetches the broken ones again; of a data file, only the broken tensors.</summary>
    /// <param name="model">The model; it must not be open.</param>
    /// <param name="options">How to fetch it; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Ends the repair; another one resumes it.</param>
    /// <exception cref="Gpt2Exception">A file cannot be fetched, verified or written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task RepairAsync(CatalogModel model, DownloadOptions? options = null, CancellationToken cancellationToken = default) =>
        RunAsync(model, options ?? new DownloadOptions(), repair: true, cancellationToken);

    private static IEnumerable<CatalogFile> Selected(CatalogModel model, DownloadOptions options)
    {
        if (options.Files is not { } names) return model.Files;
        string? unknown = names.FirstOrDefault(name => !model.Files.Any(file => file.Name == name));
        if (unknown is not null)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"The model {model.Name} has no file named '{unknown}'; it has {string.Join(", ", model.Files.Select(file => file.Name))}.");
        }

        // Weights cannot be verified without their index.
        bool needsIndex = names.Any(name => BundlePath.PrefixOfData(name) is not null);
        return model.Files.Where(file => names.Contains(file.Name) || (needsIndex && file.Name.EndsWith(".index", StringComparison.Ordinal)));
    }

    private async Task RunAsync(CatalogModel model, DownloadOptions options, bool repair, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        options.Validate();
        if (model.IsBuiltIn || (!repair && Plan(model, options).Files.Count == 0)) return;
        try
        {
            using ModelLock owned = await ModelLock.TakeAsync(store.Root, model.Name, OnWaiting, cancellationToken).ConfigureAwait(false);
            using ModelUse? alone = repair ? ModelUse.TakeAlone(store.Root, model.Name) : null;
            if (repair) await DiscardDamageAsync(model, cancellationToken).ConfigureAwait(false);
            await FetchMissingAsync(Plan(model, options), options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw Unwritable(store.GetFolder(model), fault);
        }
        finally
        {
            _meter.SetState(DownloadState.Idle);
        }

        void OnWaiting(string owner) => _meter.SetState(DownloadState.Waiting, owner);
    }

    private Task DiscardDamageAsync(CatalogModel model, CancellationToken cancellationToken)
    {
        _meter.SetState(DownloadState.Verifying);
        return Task.Run(() => ModelRepair.DiscardDamage(store.GetFolder(model), model, cancellationToken), cancellationToken);
    }

    private async Task FetchMissingAsync(DownloadPlan plan, DownloadOptions options, CancellationToken cancellationToken)
    {
        if (plan.Files.Count == 0) return;
        IReadOnlyList<ModelSource> sources = Usable(plan, options);
        CheckSpace(plan, options);
        Directory.CreateDirectory(plan.Folder);
        long total = Selected(plan.Model, options).Sum(file => file.Size ?? 0);
        _meter.BeginModel(total - plan.Files.Sum(file => file.Size ?? 0), total);
        foreach (CatalogFile file in plan.Files)
        {
            if (options.Force) PartFile.Delete(Path.Combine(plan.Folder, file.Name));
            await new FileDownload(plan.Model, file, plan.Folder, options, _meter).RunAsync(sources, cancellationToken).ConfigureAwait(false);
        }
    }

    private static IReadOnlyList<ModelSource> Usable(DownloadPlan plan, DownloadOptions options)
    {
        if (!options.Offline) return plan.Sources;
        ModelSource[] folders = [.. plan.Sources.Where(source => source.IsFolder)];
        if (folders.Length > 0) return folders;
        throw new Gpt2Exception(
            Gpt2Error.Offline,
            $"The model {plan.Model.Name} lacks {string.Join(", ", plan.Files.Select(file => file.Name))} in '{plan.Folder}', and downloads are "
                + $"switched off ({DownloadOptions.OfflineVariable}=1); switch them on, put the files there, or name a folder that has them as source.",
            plan.Folder);
    }

    private static void CheckSpace(DownloadPlan plan, DownloadOptions options)
    {
        long free = options.FreeSpace(plan.Folder);
        if (free >= plan.Bytes) return;
        throw new Gpt2Exception(
            Gpt2Error.DiskFull,
            FormattableString.Invariant($"The model {plan.Model.Name} needs {plan.Bytes:N0} more bytes in '{plan.Folder}', but the disk has {free:N0} free; ")
                + $"make room, or set {ModelStore.HomeVariable} to a folder of another disk.",
            plan.Folder);
    }

    private static Gpt2Exception Unwritable(string folder, Exception fault)
    {
        if (UnwritableFile.IsFull(fault))
        {
            return new Gpt2Exception(
                Gpt2Error.DiskFull, $"The disk became full while files were written to '{folder}'; make room and try again: what has arrived is kept.", folder, fault);
        }

        if (UnwritableFile.IsInUse(fault))
        {
            return new Gpt2Exception(
                Gpt2Error.InUse,
                $"The files of a model cannot be written to '{folder}', since another program has one of them open: {UnwritableFile.ReasonOf(fault)}; "
                    + "close it there and try again: what has arrived is kept.",
                folder,
                fault);
        }

        return new Gpt2Exception(
            Gpt2Error.Unwritable,
            $"The files of a model cannot be written to '{folder}': {UnwritableFile.ReasonOf(folder, fault)}; set {ModelStore.HomeVariable} to a folder where they can.",
            folder,
            fault);
    }
}
