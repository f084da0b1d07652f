using System.Globalization;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>
/// The journal beside an unfinished file: where its bytes come from, which version of the file they belong to, and which of them
/// are there. A range is appended, one to a line, after its bytes are written; a last line that a crash cut short is ignored.
/// </summary>
/// <remarks>
/// On Windows a program that reads the journal can keep it from being written. The journal then falls behind and is rewritten with the next
/// range; meanwhile it vouches for less than there is, and the download goes on without it.
/// </remarks>
internal sealed class DownloadJournal
{
    private const string Magic = "picogpt download 1";
    private const string NewSuffix = ".new";

    // A range is noted about once a megabyte, so no real journal comes near either limit.
    private const int MaxFileLength = 1024 * 1024;
    private const long MaxLength = 1L << 40;

    private readonly string _path;
    private bool _isBehind;

    public DownloadJournal(string path)
    {
        _path = path;
        Read();
    }

    /// <summary>The base address of the source that gave the bytes; empty when none is known.</summary>
    public string Source { get; private set; } = "";

    /// <summary>The file's ETag or date of change at the source; empty when it gave none.</summary>
    public string Validator { get; private set; } = "";

    /// <summary>The length of the whole file, or <see langword="null"/> while nothing has arrived.</summary>
    public long? Length { get; private set; }

    /// <summary>The bytes that are there.</summary>
    public RangeSet Done { get; private set; } = new();

    /// <summary>The names that a journal may have: its own, and the one under which it is written.</summary>
    public static IEnumerable<string> NamesOf(string name) => [name, name + NewSuffix];

    /// <summary>Replaces the journal by one that keeps the given ranges.</summary>
    public void Write(string source, string validator, long? length, RangeSet done)
    {
        (Source, Validator, Length, Done) = (source, validator, length, done);
        BusyFile.Do(BusyFile.Patiently, Save);
    }

    /// <summary>Notes where the bytes come from now, as soon as the journal can be written; those that are there stay.</summary>
    public void Adopt(string source, string validator, long? length)
    {
        (Source, Validator, Length) = (source, validator, length);
        _isBehind = true;
        Note(Save);
    }

    /// <summary>Adds a range whose bytes are written, as soon as the journal can be written.</summary>
    public void Append(ByteRange range)
    {
        if (range.Length <= 0) return;
        Done.Add(range);
        Note(() =>
        {
            if (_isBehind) Save();
            else OwnFile.Append(_path, Line(range));
        });
    }

    /// <summary>Deletes the journal: it must not vouch for bytes that are gone.</summary>
    public void Delete()
    {
        (Source, Validator, Length, Done) = ("", "", null, new RangeSet());
        foreach (string file in NamesOf(_path))
        {
            if (!Directory.Exists(file)) BusyFile.Do(BusyFile.Patiently, () => File.Delete(file)); // a folder vouches for nothing, and is not ours
        }
    }

    /// <summary>Deletes the journal of a file that has its name: without the unfinished one it vouches for nothing, and may stay.</summary>
    public void DeleteIfPossible()
    {
        foreach (string file in NamesOf(_path)) UnwritableFile.DeleteIfPossible(file, BusyFile.Briefly);
    }

    private void Note(Action write)
    {
        try
        {
            BusyFile.Do(BusyFile.Briefly, write);
            _isBehind = false;
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault) && !UnwritableFile.IsFull(fault))
        {
            _isBehind = true; // a line may have been written, or a part of one
        }
    }

    private void Save()
    {
        var text = new StringBuilder($"{Magic}\nsource {Source}\nvalidator {Validator}\n");
        text.Append(CultureInfo.InvariantCulture, $"length {Length}\n");
        foreach (ByteRange range in Done.Ranges) text.Append(Line(range));
        OwnFile.Write(_path + NewSuffix, text.ToString());
        try
        {
            BusyFile.Do(BusyFile.Briefly, () => File.Move(_path + NewSuffix, _path, overwrite: true));
        }
        catch (Exception fault) when (FileSystemFacts.OfThisMachine.MayPass(fault))
        {
            // Windows replaces no file that somebody reads, but writes over it. A crash meanwhile leaves a journal that vouches for less.
            OwnFile.Write(_path, text.ToString());
            UnwritableFile.DeleteIfPossible(_path + NewSuffix, BusyFile.Briefly);
        }
    }

    private static string Line(ByteRange range) => string.Create(CultureInfo.InvariantCulture, $"done {range.Start} {range.End}\n");

    private void Read()
    {
        var file = new FileInfo(_path);
        if (!file.Exists || file.LinkTarget is not null || file.Length > MaxFileLength) return;
        string text = "";
        BusyFile.Do(BusyFile.Patiently, () => text = OwnFile.Read(_path));
        string[] lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n');
        if (lines.Length < 5 || lines[0] != Magic) return;
        if (!TryRead(lines[1], "source ", out string source) || !TryRead(lines[2], "validator ", out string validator)) return;
        if (!TryRead(lines[3], "length ", out string number) || !TryParse(number, out long length) || length > MaxLength) return;
        (Source, Validator, Length) = (source, validator, length);
        var ranges = new List<ByteRange>();
        foreach (string line in lines[4..^1])
        {
            string[] words = line.Split(' ');
            if (words is ["done", string first, string last] && TryParse(first, out long start) && TryParse(last, out long end) && end <= length)
                ranges.Add(new ByteRange(start, end));
        }

        foreach (ByteRange range in ranges.OrderBy(range => range.Start)) Done.Add(range);
    }

    private static bool TryRead(string line, string name, out string value)
    {
        bool isThere = line.StartsWith(name, StringComparison.Ordinal);
        value = isThere ? line[name.Length..] : "";
        return isThere;
    }

    private static bool TryParse(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
