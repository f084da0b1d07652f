namespace PicoGpt.Files;

/// <summary>Which folders and files of a work are not there when it begins, so that nothing is left of them where it fails.</summary>
internal sealed class NewPaths
{
    private readonly List<string> _folders = []; // the deepest first
    private readonly string[] _files;

    /// <param name="folder">The full path of the folder that the work makes, with those above it, where they are not there.</param>
    /// <param name="files">The full paths of files that it writes.</param>
    public NewPaths(string folder, params IEnumerable<string> files)
    {
        for (string? missing = folder; missing is not null && !Directory.Exists(missing); missing = Path.GetDirectoryName(missing)) _folders.Add(missing);
        _files = [.. files.Where(file => !Path.Exists(file))];
    }

    /// <summary>Deletes the files, and of the folders those that hold nothing else, as far as that can be done.</summary>
    public void Withdraw()
    {
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
