namespace PicoGpt.Files;

/// <summary>
/// Gives files that belong together their names: all of them, or none. Older ones are first moved aside, so that a crash leaves none rather
/// than a mixture of two, and a fault leaves them as they were.
/// </summary>
internal static class Publication
{
    /// <summary>Names the files in their order: the last is the one without which the others are nothing.</summary>
    /// <exception cref="Gpt2Exception">An older file is in use, or marked as read-only; all are as they were.</exception>
    public static void Of(IReadOnlyList<OutputFile> files)
    {
        if (files is [OutputFile only])
        {
            only.Finish(); // in one step
            return;
        }

        var older = new Stack<(string Path, string Aside)>();
        try
        {
            foreach (OutputFile file in files.Reverse())
            {
                if (MoveAside(file.Path) is { } aside) older.Push((file.Path, aside));
            }

            foreach (OutputFile file in files) file.Finish(overwrite: false);
        }
        catch
        {
            foreach (OutputFile file in files) file.Withdraw();
            foreach ((string path, string aside) in older) BusyFile.Do(BusyFile.Patiently, () => File.Move(aside, path, overwrite: true));
            throw;
        }

        // Who has one open keeps its content; on Windows its name, too, until the next who writes there finds it closed.
        foreach ((_, string aside) in older) UnwritableFile.DeleteIfPossible(aside, BusyFile.Briefly);
    }

    private static string? MoveAside(string path)
    {
        UnwritableFile.ThrowIfReadOnly(path);
        string aside = TemporaryFiles.NewAsidePath(path);
        try
        {
            BusyFile.Do(BusyFile.Patiently, () => File.Move(path, aside, overwrite: true)); // otherwise .NET copies what cannot be moved, and leaves the copy
            return aside;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception fault) when (UnwritableFile.RefusalOf(path, fault) != WriteRefusal.Other)
        {
            throw UnwritableFile.Refused(path, fault);
        }
    }
}
