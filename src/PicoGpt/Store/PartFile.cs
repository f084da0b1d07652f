using Microsoft.Win32.SafeHandles;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>
/// A file that is not whole yet: <c>name.part</c> and its journal <c>name.part.journal</c>. <see cref="Finish"/> gives it its name
/// once it is flushed, closed and verified. Its members may be called from several threads.
/// </summary>
internal sealed class PartFile : IDisposable
{
    /// <summary>What the names of unfinished files end in.</summary>
    public const string Suffix = ".part";

    private const string JournalSuffix = Suffix + ".journal";

    private readonly Lock _lock = new();
    private readonly string _finalPath;
    private readonly DownloadJournal _journal;
    private readonly SafeFileHandle _handle;

    public PartFile(string finalPath)
    {
        _finalPath = finalPath;
        _journal = new DownloadJournal(finalPath + JournalSuffix);
        OwnFile.DeleteLink(Path);
        _handle = OpenInFolder(Path);
        long written = RandomAccess.GetLength(_handle);
        if (_journal.Length is not long length || written <= length) _journal.Done.Remove(new ByteRange(written, long.MaxValue));
        else Discard();

        // Bytes that no journal vouches for could remain behind a shorter file that is written over them.
        if (_journal.Done.Count == 0) RandomAccess.SetLength(_handle, 0);
    }

    public string Path => PathOf(_finalPath);

    /// <summary>Changes when bytes that were there are discarded.</summary>
    public int Generation { get; private set; }

    public SafeFileHandle Handle => _handle;

    public string Source => _journal.Source;

    public string Validator => _journal.Validator;

    public long? Length => _journal.Length;

    public bool IsComplete => Length is long length && PrefixEnd == length;

    /// <summary>How many bytes are there.</summary>
    public long DoneLength
    {
        get { lock (_lock) return _journal.Done.Count; }
    }

    /// <summary>How many bytes are there without a gap from the start.</summary>
    public long PrefixEnd
    {
        get { lock (_lock) return _journal.Done.PrefixEnd; }
    }

    public static string PathOf(string finalPath) => finalPath + Suffix;

    /// <summary>The names that a file of the cache may have, whole or unfinished.</summary>
    public static IEnumerable<string> NamesOf(string finalName) =>
        [finalName, finalName + Suffix, .. DownloadJournal.NamesOf(finalName + JournalSuffix)];

    /// <summary>The bytes of an unfinished file, according to its journal; 0 when it has no journal that can be read.</summary>
    public static long DoneLengthOf(string finalPath)
    {
        try
        {
            var part = new FileInfo(finalPath + Suffix);
            return part is { Exists: true, LinkTarget: null } ? Math.Min(part.Length, new DownloadJournal(finalPath + JournalSuffix).Done.Count) : 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Makes a finished file unfinished again: some of its bytes are good, and the others are to be fetched.</summary>
    public static void Reopen(string finalPath, long length, RangeSet good)
    {
        new DownloadJournal(finalPath + JournalSuffix).Write("", "", length, good);
        BusyFile.Do(BusyFile.Patiently, () => File.Move(finalPath, finalPath + Suffix, overwrite: true));
    }

    /// <summary>Deletes an unfinished file and its journal.</summary>
    public static void Delete(string finalPath)
    {
        new DownloadJournal(finalPath + JournalSuffix).Delete();
        BusyFile.Do(BusyFile.Patiently, () => File.Delete(finalPath + Suffix));
    }

    /// <summary>Gives a closed file its name: a crash leaves the old state or the new one.</summary>
    /// <exception cref="Gpt2Exception">An older file of that name is in use or marked as read-only; it is left as it was.</exception>
    public static void Finish(string finalPath)
    {
        try
        {
            BusyFile.Do(BusyFile.Patiently, () => File.Move(finalPath + Suffix, finalPath, overwrite: true));
        }
        catch (Exception fault) when (UnwritableFile.RefusalOf(finalPath, fault) != WriteRefusal.Other)
        {
            throw UnwritableFile.Refused(finalPath, fault);
        }

        new DownloadJournal(finalPath + JournalSuffix).DeleteIfPossible();
    }

    /// <summary>Notes that bytes of a closed file are bad.</summary>
    /// <param name="finalPath">The name that the file is to have.</param>
    /// <param name="damaged">Which; <see langword="null"/> for all.</param>
    public static void Discard(string finalPath, IReadOnlyList<ByteRange>? damaged)
    {
        var journal = new DownloadJournal(finalPath + JournalSuffix);
        foreach (ByteRange range in damaged ?? []) journal.Done.Remove(range);
        if (damaged is null) Delete(finalPath);
        else journal.Write(journal.Source, journal.Validator, journal.Length, journal.Done);
    }

    public IReadOnlyList<ByteRange> Missing(long chunkSize)
    {
        lock (_lock) return [.. _journal.Done.Missing(Length ?? chunkSize, chunkSize)];
    }

    /// <summary>Notes where the bytes come from now; those that are there stay.</summary>
    public void Adopt(string source, string validator, long? length)
    {
        lock (_lock)
        {
            if ((source, validator, length) != (Source, Validator, Length)) _journal.Adopt(source, validator, length);
        }
    }

    /// <summary>Notes that bytes are written.</summary>
    public void MarkDone(ByteRange range)
    {
        lock (_lock) _journal.Append(range);
    }

    /// <summary>Notes that all bytes are bad.</summary>
    public void Discard()
    {
        lock (_lock)
        {
            Generation++;
            _journal.Delete();
            RandomAccess.SetLength(_handle, 0);
        }
    }

    /// <summary>Flushes what was written to the disk itself.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_handle);

    public void Dispose()
    {
        _handle.Dispose();
        if (DoneLength == 0) Delete(_finalPath);
    }

    // A folder that was removed a moment ago vanishes, on Windows, when nobody lists it any more.
    private static SafeFileHandle OpenInFolder(string path)
    {
        SafeFileHandle? handle = null;
        BusyFile.Do(BusyFile.Patiently, () =>
        {
            try
            {
                handle = Open(path);
            }
            catch (DirectoryNotFoundException)
            {
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
                handle = Open(path);
            }
        });
        return handle!;
    }

    private static SafeFileHandle Open(string path) =>
        File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
}
