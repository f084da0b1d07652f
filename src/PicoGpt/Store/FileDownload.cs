using PicoGpt.Checkpoints.TensorFlow;

namespace PicoGpt.Store;

/// <summary>Fetches one file of a model: transfers it, verifies it, and only then gives it its name.</summary>
internal sealed class FileDownload(
    CatalogModel model, CatalogFile file, string folder, DownloadOptions options, ProgressMeter meter)
{
    private const int MaxRefetches = 2;

    private readonly string _path = Path.Combine(folder, file.Name);

    /// <summary>Asks the sources in order until one gives the file.</summary>
    /// <exception cref="Gpt2Exception">None of them gives it.</exception>
    public async Task RunAsync(IReadOnlyList<ModelSource> sources, CancellationToken cancellationToken)
    {
        var faults = new List<SourceFault>();
        foreach (ModelSource source in sources)
        {
            try
            {
                await FetchFromAsync(source, cancellationToken).ConfigureAwait(false);
                meter.EndFile();
                return;
            }
            catch (SourceFault fault)
            {
                faults.Add(fault);
            }
        }

        throw Failed(faults);
    }

    private async Task FetchFromAsync(ModelSource source, CancellationToken cancellationToken)
    {
        using ITransport transport = source.CreateTransport(options);
        for (int refetches = 0; ; refetches++)
        {
            try
            {
                (string sha256, IReadOnlyList<TensorEntry>? damaged) =
                    await TransferAsync(transport, source, cancellationToken).ConfigureAwait(false);
                await Task.Run(
                    () => FileVerifier.Verify(_path, PartFile.Suffix, file, sha256, damaged, cancellationToken),
                    cancellationToken).ConfigureAwait(false);
                PartFile.Finish(_path);
                return;
            }
            catch (SourceFault fault) when (fault.IsEndless)
            {
                PartFile.Delete(_path);
                throw;
            }
            catch (RefetchFault fault)
            {
                PartFile.Discard(_path, fault.Damaged);
                if (refetches == MaxRefetches)
                    throw new SourceFault(fault.Error, $"{SourceSecrets.Shown(source.AddressOf(model, file))}: {fault.Message}", fault);
                meter.SetState(DownloadState.Retrying, fault.Message);
            }
            catch (TransientFault fault)
            {
                throw new SourceFault(Gpt2Error.DownloadFailed, fault.Message, fault);
            }
        }
    }

    /// <summary>Fetches what is missing.</summary>
    /// <returns>The file's SHA-256 and, where its tensors could be checked in passing, those that are damaged.</returns>
    private async Task<(string Sha256, IReadOnlyList<TensorEntry>? Damaged)> TransferAsync(
        ITransport transport, ModelSource source, CancellationToken cancellationToken)
    {
        using var part = new PartFile(_path);
        meter.BeginFile(file.Name, part.DoneLength, part.Length ?? file.Size);
        var transfer = new FileTransfer(part, transport, source, source.AddressOf(model, file), file, options, meter);
        var verifier = new PrefixVerifier(part, RunningChecksums.TryCreate(_path));
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<(string, IReadOnlyList<TensorEntry>?)> verification = Task.Run(() => verifier.RunAsync(abort.Token), cancellationToken);
        try
        {
            await transfer.RunAsync(cancellationToken).ConfigureAwait(false);
            meter.SetState(DownloadState.Verifying);
            part.Flush();
            return await verification.ConfigureAwait(false);
        }
        finally
        {
            await abort.CancelAsync().ConfigureAwait(false);
            await ((Task)verification).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Gpt2Exception Failed(List<SourceFault> faults) => new(
        faults.Count == 1 ? faults[0].Error : Gpt2Error.DownloadFailed,
        $"The file {file.Name} of {model.Name} could not be fetched: {string.Join("; ", faults.Select(fault => fault.Message))}; "
            + (faults.Any(fault => fault.MayPass) ? "try again later or from another source" : "check the address, or name another source")
            + $" ({ModelSource.Variable}): the part that is right is kept.",
        _path,
        faults[^1]);
}
