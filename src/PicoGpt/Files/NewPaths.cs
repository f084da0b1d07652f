namespace PicoGpt.Files;

/// <summary>The folders and files of a work that are not there when it begins: unless they are kept, nothing is left of them.</summary>
internal sealed class NewPaths : IDisposable
{
    private readonly List<string> _folders = []; // the deepest first
    private readonly string[] _files;
    private bool _areKept;

    /// <param name="folder">The full path of the folder that the work makes, with those above it, where they are not there.</param>
    /// <param name="files">The full paths of files that it writes.</param>
    public NewPaths(string folder, params IEnumerable<string> files)
    {
        for (string? missing = folder; missing is not null && !Directory.Exists(missing); missing = Path.GetDirectoryName(missing)) _folders.Add(missing);
        _files = [.. files.Where(file => !Path.Exists(file))];
    }

    /// <summary>The work is done.</summary>
    public void Keep() => _areKept = true;

    /// <summary>Deletes the files of a work that is not done, and of its folders those that hold nothing else, as far as that can be done.</summary>
    public void Dispose()
    {
        if (_areKept) return;
        foreach (string file in _files) UnwritableFile.DeleteIfPossible(file, BusyFile.Patiently);
        foreach (string folder in _folders)
        {
            try
            {
                if (Directory.Exists(folder)) Directory.Delete(folder); // not where something is in it
            }
            catch (Exception fault) when (UnwritableFile.IsFault(fault))
            {
                return;
            }
        }
    }
}
