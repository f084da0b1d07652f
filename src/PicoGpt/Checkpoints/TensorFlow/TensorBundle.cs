using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// A TensorFlow V2 checkpoint (a "tensor bundle"): names, types and shapes from its index, bytes from its memory-mapped data
/// files. Opening reads the index only; a data file is mapped when a tensor in it is first asked for.
/// </summary>
/// <remarks>
/// Memory that this class hands out gives spans until <see cref="Dispose"/>; the pages of a span that was taken before stay as long as
/// something refers to its memory. Whoever wants them to go at once pins the memory while he reads, or holds the files with
/// <see cref="Hold"/>. All members may be called from several threads.
/// A data file that another program overwrites in place is no longer read: whoever computes on its memory asks
/// <see cref="ThrowIfChanged"/> before he uses the result. Deleting and replacing a file does no harm.
/// </remarks>
public sealed class TensorBundle : ITensorSource
{
    private readonly BundleIndex _index;
    private readonly ShardMappings _shards;
    private int _isDisposed;

    private TensorBundle(string prefix, BundleIndex index, string shardSuffix)
    {
        Prefix = prefix;
        _index = index;
        int count = index.ShardCount;
        _shards = new ShardMappings(new LazyPaths(count, shard => ShardName.Of(prefix, shard, count) + shardSuffix));
    }

    /// <summary>The full path that the names of the checkpoint's files begin with: <c>folder/model.ckpt</c>.</summary>
    public string Prefix { get; }

    /// <summary>The full path of the index file.</summary>
    public string IndexPath => _index.Path;

    /// <summary>The number of data files.</summary>
    public int ShardCount => _index.ShardCount;

    /// <summary>The tensors, in ordinal order of the UTF-8 bytes of their names.</summary>
    public IReadOnlyList<TensorEntry> Entries => _index.Entries;

    string ITensorSource.Location => Prefix;

    IReadOnlyList<string> ITensorSource.DataFiles => _shards.Paths;

    IReadOnlyList<string> ITensorSource.OtherFiles => [IndexPath];

    IReadOnlyList<StoredTensor> ITensorSource.Tensors => [.. Entries.Select(entry => new BundleTensor(this, entry))];

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">
    /// Its folder, its prefix, or any one of its files: <c>.index</c>, <c>.data-00000-of-00001</c>, <c>checkpoint</c>. Of a folder,
    /// the checkpoint that its file <c>checkpoint</c> names, or, without that file, the only one in it.
    /// </param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">
    /// There is no checkpoint, its index is damaged or of another format, or what lies there is something else altogether.
    /// </exception>
    public static TensorBundle Open(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("checkpoints are read on little-endian machines only");

        string prefix = BundlePath.FindPrefix(path);
        return OpenExactly(prefix, shardSuffix: "", cancellationToken);
    }

    /// <summary>Opens the checkpoint of that prefix, whose data files' names end in a suffix.</summary>
    internal static TensorBundle OpenExactly(string prefix, string shardSuffix, CancellationToken cancellationToken = default) =>
        new(prefix, BundleIndex.Load(BundlePath.IndexFile(prefix), cancellationToken), shardSuffix);

    /// <summary>The full path of one data file, from 0; the file need not exist.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such data file.</exception>
    public string GetShardPath(int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, ShardCount);
        return _shards.PathOf(shard);
    }

    /// <summary>Finds a tensor by its exact name.</summary>
    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry) => _index.TryGet(name, out entry);

    /// <summary>The tensor of that exact name.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.TensorNotFound"/>, with the nearest names.</exception>
    public TensorEntry GetEntry(string name) => TryGetEntry(name, out TensorEntry? entry) ? entry : throw TensorSources.NotFound(this, name);

    /// <summary>Checks, without reading them, that every data file is there and as long as the index says.</summary>
    /// <param name="cancellationToken">Looked at before every file.</param>
    /// <exception cref="Gpt2Exception">A data file is missing, truncated, or something else altogether.</exception>
    public void EnsureComplete(CancellationToken cancellationToken = default)
    {
        IEnumerable<TensorEntry> needed = _index.StoredEntries.Where(e => e.Size > 0);
        foreach (IGrouping<int, TensorEntry> shard in needed.GroupBy(e => e.ShardId).OrderBy(g => g.Key))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = _shards.PathOf(shard.Key);
            if (!File.Exists(path)) throw ShardMappings.Missing(path);

            using FileStream file = ReadableFile.Open(path); // FileInfo would give the length of a symbolic link itself
            TensorEntry? cut = shard.Where(e => e.Offset + e.Size > file.Length).MinBy(e => e.Offset);
            if (cut is not null) throw Truncated(path, file.Length, cut);
        }
    }

    /// <summary>
    /// The bytes of a tensor as the file has them: little-endian, row-major, at any alignment. No copy is made, except to put
    /// the slices of a partitioned tensor together.
    /// </summary>
    /// <exception cref="Gpt2Exception">
    /// The data file is missing or too short, or the tensor takes more bytes than an array can have (about 2 GiB).
    /// </exception>
    public ReadOnlyMemory<byte> GetBytes(TensorEntry entry)
    {
        ThrowIfForeignEntry(entry);
        return entry.IsPartitioned ? Assemble(entry) : BytesOf(entry);
    }

    /// <summary>
    /// A tensor as float32, row-major. float32 that lies at a multiple of four bytes is the mapped file itself, not a copy;
    /// float16, bfloat16, float64 and the rest become a new array at each call.
    /// </summary>
    /// <exception cref="Gpt2Exception">
    /// The tensor is not of a floating-point type, or too large; the data file is missing or too short.
    /// </exception>
    public ReadOnlyMemory<float> GetFloats(TensorEntry entry)
    {
        ThrowIfForeignEntry(entry);
        if (!entry.DType.IsFloat())
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"Tensor '{entry.Name}' of '{Prefix}' is {entry.DType.DisplayName()} and cannot be read as float32.",
                Prefix);
        }

        if (IsInPlace(entry))
            return new MappedMemory<float>(_shards, OpenShardOf(entry), entry.Offset, (int)entry.Shape.ElementCount).Memory;

        using var bytes = new HeldMemory<byte>(GetBytes(entry));
        return bytes.IfUnchanged(TensorConversion.ToFloats(entry.DType, bytes.Span));
    }

    /// <summary>Whether a tensor is read as float32 from where it is mapped.</summary>
    internal static bool IsInPlace(TensorEntry entry) => entry is { DType: TensorDType.Float32, IsPartitioned: false, Size: > 0 }
        && MappedFile.IsAligned(entry.Offset) && entry.Shape.ElementCount <= int.MaxValue;

    /// <summary>Some elements of a tensor that has bytes of its own.</summary>
    internal StoredTensor? PortionOf(TensorEntry entry, long first, long count)
    {
        if (entry.IsPartitioned || entry.DType.ElementSize() is not int size) return null;
        OpenShardOf(entry);
        return new MappedTensor(_shards, entry.ShardId, entry.Offset + (first * size), entry.Name, entry.DType, new TensorShape(count));
    }

    /// <summary>Copies a tensor into an array.</summary>
    /// <typeparam name="T">
    /// The tensor's own type: float, double, Half, sbyte, short, int, long, byte, ushort, uint, ulong or bool.
    /// </typeparam>
    /// <exception cref="Gpt2Exception">The tensor is of another type, or too large; the data file is missing or too short.</exception>
    public T[] ReadArray<T>(TensorEntry entry)
        where T : unmanaged
    {
        TensorDType wanted = TensorConversion.DTypeOf<T>();
        RequireDType(entry, wanted);
        using var bytes = new HeldMemory<byte>(GetBytes(entry));
        return bytes.IfUnchanged(TensorConversion.ToArray<T>(bytes.Span));
    }

    /// <summary>Reads a string tensor, row-major; TensorFlow's strings are bytes in no particular encoding.</summary>
    /// <exception cref="Gpt2Exception">
    /// The tensor is of another type, partitioned or damaged; the data file is missing or too short.
    /// </exception>
    public byte[][] ReadStrings(TensorEntry entry)
    {
        RequireDType(entry, TensorDType.String);
        if (entry.IsPartitioned) throw NotAssembled(entry);

        return DecodeStrings(entry, out _);
    }

    /// <summary>Compares a tensor's bytes with the checksum in the index; of a partitioned tensor, those of every slice.</summary>
    /// <param name="entry">The tensor.</param>
    /// <param name="cancellationToken">Looked at before every 16 MiB.</param>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.ChecksumMismatch"/>, or the data file is missing or too short.
    /// </exception>
    public void Verify(TensorEntry entry, CancellationToken cancellationToken = default)
    {
        ThrowIfForeignEntry(entry);
        Verify(entry, static _ => { }, cancellationToken);
    }

    /// <summary>Verifies every tensor, several at once, and throws for the first bad one in order of names.</summary>
    /// <param name="progress">Told the bytes verified so far, in increasing order, from several threads.</param>
    /// <param name="cancellationToken">Looked at before every 16 MiB.</param>
    /// <exception cref="Gpt2Exception">The first bad tensor's fault, as <see cref="Verify(TensorEntry, CancellationToken)"/>.</exception>
    public void VerifyAll(IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        foreach (TensorCheck check in CheckAll(progress, cancellationToken))
        {
            if (check.Error is not null) throw check.Error;
        }
    }

    /// <summary>Verifies every tensor, several at once, and gives one result each, in order of names, as they come.</summary>
    /// <inheritdoc cref="VerifyAll"/>
    public IEnumerable<TensorCheck> CheckAll(IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        var gate = new Lock();
        long total = 0;
        return Partitioner.Create(Entries, EnumerablePartitionerOptions.NoBuffering)
            .AsParallel()
            .AsOrdered()
            .WithCancellation(cancellationToken)
            .WithMergeOptions(ParallelMergeOptions.NotBuffered)
            .Select(entry => Check(entry, Advance, cancellationToken));

        void Advance(long bytes)
        {
            lock (gate)
            {
                total += bytes;
                progress?.Report(total);
            }
        }
    }

    /// <summary>
    /// Keeps the data files mapped until the result is disposed, even if the checkpoint is disposed meanwhile.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The checkpoint is already disposed and not held.</exception>
    public IDisposable Hold() => new MappingHold(_shards);

    /// <summary>
    /// Tells whether what was read so far is the data files', and whether they may be read on; to be asked now and then by who has pinned
    /// their memory, and before he lets out what he computed on it.
    /// </summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a data file was changed, or is about to be.</exception>
    public void ThrowIfChanged() => _shards.ThrowIfChanged();

    /// <summary>Unmaps the data files, as soon as nobody holds them.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            _shards.ReleaseHold();
    }

    private static void ThrowIfMismatch(TensorEntry entry, uint computed, string path)
    {
        if (computed == entry.Crc32C) return;
        ForeignFile.ThrowIfForeign(path);
        throw new Gpt2Exception(
            Gpt2Error.ChecksumMismatch,
            $"Tensor '{entry.Name}' in '{path}' is damaged, or its index is of another checkpoint: its CRC32C should be {entry.Crc32C:x8}, "
                + $"but its bytes give {computed:x8}; copy or download the checkpoint's files again.",
            path);
    }

    private void Verify(TensorEntry entry, Action<long> advance, CancellationToken cancellationToken)
    {
        using IDisposable hold = Hold();
        foreach (TensorEntry stored in _index.StoredEntriesOf(entry))
        {
            uint computed = ComputeCrc32C(stored, cancellationToken);
            if (stored.Size > 0) OpenShardOf(stored).ThrowIfChanged(); // a different error from a wrong checksum
            ThrowIfMismatch(stored, computed, _shards.PathOf(stored.ShardId));
            advance(stored.Size);
        }
    }

    private TensorCheck Check(TensorEntry entry, Action<long> advance, CancellationToken cancellationToken)
    {
        try
        {
            Verify(entry, advance, cancellationToken);
            return new TensorCheck(entry, null);
        }
        catch (Gpt2Exception fault)
        {
            return new TensorCheck(entry, fault);
        }
        catch (IOException fault)
        {
            return new TensorCheck(entry, ReadableFile.Refused(Prefix, fault));
        }
    }

    private unsafe uint ComputeCrc32C(TensorEntry stored, CancellationToken cancellationToken)
    {
        const int ChunkLength = 16 * 1024 * 1024;
        switch (stored.DType)
        {
            case TensorDType.String:
                DecodeStrings(stored, out uint stringsCrc);
                return stringsCrc;
            case TensorDType.Variant:
                throw new Gpt2Exception(
                    Gpt2Error.Unsupported,
                    $"Tensor '{stored.Name}' of '{Prefix}' is a serialized object (variant), whose checksum cannot be verified.",
                    Prefix);
        }

        if (stored.Size == 0) return 0;
        MappedFile file = OpenShardOf(stored);
        uint crc = 0;
        for (long done = 0; done < stored.Size; done += ChunkLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = (int)Math.Min(ChunkLength, stored.Size - done);
            crc = Crc32C.Append(crc, new ReadOnlySpan<byte>(file.Address(stored.Offset + done, length), length));
        }

        return crc;
    }

    private byte[][] DecodeStrings(TensorEntry entry, out uint crc)
    {
        try
        {
            using var bytes = new HeldMemory<byte>(BytesOf(entry));
            return bytes.IfUnchanged(StringTensor.Decode(bytes.Span, entry.Shape.ElementCount, out crc));
        }
        catch (InvalidDataException fault)
        {
            string path = _shards.PathOf(entry.ShardId);
            ForeignFile.ThrowIfForeign(path);
            throw new Gpt2Exception(
                Gpt2Error.Corrupt,
                $"Tensor '{entry.Name}' in '{path}' is damaged: {fault.Message}; copy or download the file again.",
                path,
                fault);
        }
    }

    private byte[] Assemble(TensorEntry entry)
    {
        if (entry.DType.ElementSize() is not int elementSize) throw NotAssembled(entry);
        if (entry.Size > Array.MaxLength) throw TooLarge(entry);

        using IDisposable hold = Hold();
        IReadOnlyList<TensorEntry> pieces = _index.StoredEntriesOf(entry);

        // All slices are found before the whole is allocated, so that an index alone cannot ask for the memory.
        ReadOnlyMemory<byte>[] bytes = [.. pieces.Select(BytesOf)];
        byte[] whole = new byte[entry.Size];
        for (int i = 0; i < bytes.Length; i++)
        {
            using var piece = new HeldMemory<byte>(bytes[i]);
            SliceAssembly.Copy(whole, entry.Shape, piece.Span, entry.Slices[i], elementSize);
        }

        ThrowIfChanged();
        return whole;
    }

    /// <summary>The mapped bytes of an entry that has bytes of its own.</summary>
    private ReadOnlyMemory<byte> BytesOf(TensorEntry stored)
    {
        if (stored.Size == 0) return ReadOnlyMemory<byte>.Empty;
        if (stored.Size > Array.MaxLength) throw TooLarge(stored);
        return new MappedMemory<byte>(_shards, OpenShardOf(stored), stored.Offset, (int)stored.Size).Memory;
    }

    private MappedFile OpenShardOf(TensorEntry stored)
    {
        MappedFile file = _shards.Open(stored.ShardId);
        return stored.Offset + stored.Size <= file.Length ? file : throw Truncated(file.Path, file.Length, stored);
    }

    private Gpt2Exception Truncated(string path, long length, TensorEntry entry)
    {
        ForeignFile.ThrowIfForeign(path);
        long expectedLength = _index.StoredEntries.Where(e => e.ShardId == entry.ShardId).Max(e => e.Offset + e.Size);
        long found = Math.Clamp(length - entry.Offset, 0, entry.Size);
        return new Gpt2Exception(
            Gpt2Error.Truncated,
            $"'{path}' is cut short: tensor '{entry.Name}' should have {entry.Size} bytes from {entry.Offset} on, but {found} are there "
                + $"(the file has {length} bytes of {expectedLength}); copy or download it again.",
            path);
    }

    private Gpt2Exception NotAssembled(TensorEntry entry) => new(
        Gpt2Error.Unsupported,
        $"Tensor '{entry.Name}' of '{Prefix}' is partitioned and of type {entry.DType.DisplayName()}, which is not put together.",
        Prefix);

    private Gpt2Exception TooLarge(TensorEntry entry) => new(
        Gpt2Error.Unsupported,
        $"Tensor '{entry.Name}' of '{Prefix}' takes {entry.Size} bytes, more than can be read as one piece ({Array.MaxLength}).",
        Prefix);

    private void RequireDType(TensorEntry entry, TensorDType wanted)
    {
        ThrowIfForeignEntry(entry);
        if (entry.DType != wanted)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"Tensor '{entry.Name}' of '{Prefix}' is {entry.DType.DisplayName()}, not {wanted.DisplayName()}.",
                Prefix);
        }
    }

    private void ThrowIfForeignEntry(TensorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!TryGetEntry(entry.Name, out TensorEntry? own) || !ReferenceEquals(own, entry))
            throw new ArgumentException("the entry is of another checkpoint", nameof(entry));
    }
}
