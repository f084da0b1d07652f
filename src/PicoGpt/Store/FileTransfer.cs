using System.Buffers;
using System.Collections.Concurrent;
using PicoGpt.Files;
using Polly;
using Polly.Retry;

namespace PicoGpt.Store;

/// <summary>
/// Brings the missing bytes of one file from one source: by several range requests at once, or, where the source has no ranges,
/// by one stream. A request that fails is tried again from the last byte that arrived. A connection whose tries all fail leaves its
/// bytes to the others, and the transfer fails when no connection is left.
/// </summary>
internal sealed class FileTransfer
{
    private const int BufferSize = 256 * 1024;

    // How many bytes a connection may lose when the process is killed.
    private const int NoteInterval = 1024 * 1024;

    private readonly PartFile _part;
    private readonly ITransport _transport;
    private readonly ModelSource _source;
    private readonly Uri _address;
    private readonly CatalogFile _file;
    private readonly DownloadOptions _options;
    private readonly ProgressMeter _meter;
    private readonly ResiliencePipeline _retry;
    private readonly string _shown;
    private readonly SourceSecrets _secrets;

    public FileTransfer(
        PartFile part, ITransport transport, ModelSource source, Uri address, CatalogFile file, DownloadOptions options, ProgressMeter meter)
    {
        (_part, _transport, _source, _address, _file, _options, _meter) = (part, transport, source, address, file, options, meter);
        _retry = options.Retries == 0 ? ResiliencePipeline.Empty : CreateRetry();
        (_shown, _secrets) = (SourceSecrets.Shown(address), new SourceSecrets(source.Credentials, address));
    }

    /// <summary>Fetches until nothing is missing.</summary>
    /// <exception cref="TransientFault">All tries failed.</exception>
    /// <exception cref="SourceFault">The source does not have the file.</exception>
    /// <exception cref="RefetchFault">The file changed at the source.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!_part.IsComplete)
        {
            ByteRange asked = _part.Missing(Math.Min(_options.ChunkSize, _file.Size ?? long.MaxValue))[0];
            FilePart? first = null;
            await _retry.ExecuteAsync(
                async token => first = await OpenOrCopyWholeAsync(asked, token).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
            if (first is not null) await FetchRangesAsync(first, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Asks for the first range; if the source answers with the whole file, takes that instead.</summary>
    private async Task<FilePart?> OpenOrCopyWholeAsync(ByteRange asked, CancellationToken cancellationToken)
    {
        FilePart answer = await OpenAsync(asked, cancellationToken).ConfigureAwait(false);
        if (answer.IsRange) return answer;
        using (answer)
        {
            // Without ranges nothing can be resumed, so it does not matter which version comes.
            _part.Discard();
            _part.Adopt(_source.ToString(), validator: "", answer.TotalLength ?? _file.Size);
            _meter.BeginFile(_file.Name, 0, _part.Length);
            await CopyWholeAsync(answer, cancellationToken).ConfigureAwait(false);
            return null;
        }
    }

    private async Task CopyWholeAsync(FilePart answer, CancellationToken cancellationToken)
    {
        long length = _part.Length ?? _options.MaxUnknownSize;
        for (long start = 0; start < length; start += _options.ChunkSize)
        {
            var segment = new Segment(new ByteRange(start, Math.Min(length, start + _options.ChunkSize)));
            bool isEnd = !await CopyAsync(answer.Body, segment, cancellationToken).ConfigureAwait(false);
            if (isEnd && _part.Length is not null) throw EndedEarly(segment);
            _part.MarkDone(segment.TakeNew());
            if (!isEnd) continue;
            _part.Adopt(_part.Source, _part.Validator, segment.Position);
            return;
        }

        if (_part.Length is null) throw TooLong();
    }

    private async Task FetchRangesAsync(FilePart first, CancellationToken cancellationToken)
    {
        var queue = new ConcurrentQueue<ByteRange>(_part.Missing(_options.ChunkSize));
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        int workers = Math.Min(_options.Connections, queue.Count), failures = 0;
        Exception? lastFault = null;
        FilePart? pending = first;
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => WorkAsync())).ConfigureAwait(false);
        if (failures == workers) throw lastFault!;

        async Task WorkAsync()
        {
            try
            {
                while (queue.TryDequeue(out ByteRange range))
                {
                    FilePart? answer = pending;
                    pending = null;
                    await FetchRangeAsync(new Segment(range), answer, abort.Token).ConfigureAwait(false);
                }
            }
            catch (Exception fault) when (fault is TransientFault or SourceFault)
            {
                lastFault = fault;
                Interlocked.Increment(ref failures);
            }
            catch
            {
                await abort.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private async Task FetchRangeAsync(Segment segment, FilePart? answer, CancellationToken cancellationToken)
    {
        try
        {
            while (!segment.IsDone)
            {
                await _retry.ExecuteAsync(
                    async token =>
                    {
                        FilePart? current = answer;
                        answer = null;
                        await TryFetchRangeAsync(segment, current, token).ConfigureAwait(false);
                    },
                    cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _part.MarkDone(segment.TakeNew());
        }
    }

    private async Task TryFetchRangeAsync(Segment segment, FilePart? answer, CancellationToken cancellationToken)
    {
        long before = segment.Position;
        try
        {
            using FilePart current = answer ?? await OpenAsync(segment.Missing, cancellationToken).ConfigureAwait(false);
            if (!current.IsRange) throw Changed();
            if (await CopyAsync(current.Body, segment, cancellationToken).ConfigureAwait(false)) return;
            bool isAsSaid = current.End == segment.Position && segment.Position > before; // a part of the range, as the source said
            if (!isAsSaid) throw EndedEarly(segment);
        }
        catch (TransientFault) when (segment.Position - before >= Math.Max(1, _options.ChunkSize / 8))
        {
            // A connection that brings this much before it breaks is slow, not broken, so the count of its tries starts again.
        }
    }

    private async Task<FilePart> OpenAsync(ByteRange range, CancellationToken cancellationToken)
    {
        bool isSameSource = _part.Source == _source.ToString();
        string validator = isSameSource ? _part.Validator : "";
        FilePart answer = await _transport.OpenAsync(_address, range, validator, cancellationToken).ConfigureAwait(false);
        try
        {
            if (_file.Size is long size && answer.TotalLength is long total && total != size)
                throw await WrongLengthAsync(answer, range, size, total, cancellationToken).ConfigureAwait(false);
            if (_file.Size is null && answer.TotalLength > _options.MaxUnknownSize) throw TooLong();
            if (validator.Length > 0 && validator != answer.Validator) throw Changed();
            if (!answer.IsRange) return answer;
            long length = answer.TotalLength ?? (isSameSource ? _part.Length : null) ?? _file.Size
                ?? throw new SourceFault(Gpt2Error.DownloadFailed, $"{_shown} does not say how long the file is");
            if (_part.Length is not null && _part.Length != length) throw Changed();
            _part.Adopt(_source.ToString(), answer.Validator, length);
            _meter.SetFileTotal(length);
            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    /// <summary>Writes what arrives to its place in the file, until the segment is complete.</summary>
    /// <returns>Whether it is complete; otherwise the body ended too early.</returns>
    private async Task<bool> CopyAsync(Stream body, Segment segment, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        long since = _options.Clock.GetTimestamp(), before = segment.Position;
        try
        {
            while (!segment.IsDone)
            {
                if (_options.Clock.GetElapsedTime(since) >= _options.StallTimeout)
                {
                    if (segment.Position - before < _options.StallTimeout.TotalSeconds * _options.MinimumRate) throw TooSlow(segment.Position - before);
                    (since, before) = (_options.Clock.GetTimestamp(), segment.Position);
                }

                Memory<byte> wanted = buffer.AsMemory(0, (int)Math.Min(BufferSize, segment.Missing.Length));
                int read = await ReadAsync(body, wanted, limit, cancellationToken).ConfigureAwait(false);
                if (read == 0) return false;
                if (segment.Position == 0 && FileVerifier.Recognize(_file, wanted.Span[..read]) is { } foreign)
                    throw Foreign(foreign);
                await RandomAccess.WriteAsync(_part.Handle, wanted[..read], segment.Position, cancellationToken).ConfigureAwait(false);
                segment.Position += read;
                if (segment.NewLength >= NoteInterval) _part.MarkDone(segment.TakeNew());
                _meter.Add(read);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private TransientFault TooSlow(long bytes) =>
        new(FormattableString.Invariant($"{_shown} sent only {bytes:N0} bytes in {_options.StallTimeout.TotalSeconds:0.#} s"));

    private async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        try
        {
            limit.CancelAfter(_options.StallTimeout);
            return await body.ReadAsync(buffer, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientFault(FormattableString.Invariant($"{_shown} sent nothing for {_options.StallTimeout.TotalSeconds:0.#} s"));
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            string reason = _secrets.Hide(fault.GetBaseException().Message.TrimEnd('.'));
            throw new TransientFault($"the connection to {_shown} broke: {reason}", innerException: _secrets.Harmless(fault));
        }
    }

    private async Task<SourceFault> WrongLengthAsync(
        FilePart answer, ByteRange range, long size, long total, CancellationToken cancellationToken)
    {
        string message = FormattableString.Invariant($"{_shown} has {total:N0} bytes instead of {size:N0}");
        if (range.Start > 0 && answer.IsRange) return new SourceFault(Gpt2Error.DownloadFailed, message);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        byte[] start = new byte[512];
        int length = await ReadAsync(answer.Body, start, limit, cancellationToken).ConfigureAwait(false);
        ReadOnlySpan<byte> bytes = start.AsSpan(0, length);
        if (FileVerifier.Recognize(_file, bytes) is { } foreign)
            return Foreign(foreign);
        string words = ForeignFile.FirstWords(bytes) is { } text ? $", which begin '{_secrets.Hide(text)}'" : "";
        return new SourceFault(Gpt2Error.DownloadFailed, message + words);
    }

    private SourceFault Foreign(string what) =>
        new(Gpt2Error.ErrorBody, _secrets.Hide($"{_shown} answered with {what}"));

    private SourceFault TooLong() =>
        new(Gpt2Error.DownloadFailed, FormattableString.Invariant($"{_shown} has more than {_options.MaxUnknownSize:N0} bytes, so it is not {_file.Name}")) { IsEndless = true };

    private RefetchFault Changed() => new(Gpt2Error.DownloadFailed, $"{_shown} changed while it was fetched");

    private TransientFault EndedEarly(Segment segment) => new(FormattableString.Invariant($"{_shown} ended {segment.Missing.Length:N0} bytes early"));

    private ResiliencePipeline CreateRetry() => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<TransientFault>(),
            MaxRetryAttempts = _options.Retries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _options.RetryDelay,
            MaxDelay = _options.MaxRetryDelay,
            DelayGenerator = args => ValueTask.FromResult(DelayOf((TransientFault)args.Outcome.Exception!)),
            OnRetry = args =>
            {
                _meter.SetState(DownloadState.Retrying, args.Outcome.Exception!.Message);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    // A server's wish is followed within reason; null means the usual back-off.
    private TimeSpan? DelayOf(TransientFault fault) =>
        fault.RetryAfter is TimeSpan asked ? (asked < _options.MaxRetryDelay ? asked : _options.MaxRetryDelay) : null;
}
