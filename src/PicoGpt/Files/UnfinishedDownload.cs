namespace PicoGpt.Files;

/// <summary>What programs that fetch files leave of one that is not whole.</summary>
internal static class UnfinishedDownload
{
    // aria2's, beside a file that has its full length from the beginning, and zeros where nothing was fetched yet.
    private const string Control = ".aria2";

    // Firefox, wget2 and PicoGpt; curl's and others' own; Chrome and Edge; Safari; Opera; the hub's library; torrent clients.
    private static readonly string[] Ends = [".part", ".partial", ".crdownload", ".download", ".opdownload", ".incomplete", ".!ut", ".!qB", Control];

    /// <summary>Throws where a file is there, and as long as it should be, but not whole.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.Truncated"/>.</exception>
    public static void ThrowIfOf(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: 0 } && ClauseOf(path) is { Length: > 0 } clause)
            throw new Gpt2Exception(Gpt2Error.Truncated, $"'{path}' is empty{clause}; let that end, or fetch the file again.", path); // Firefox's
        if (!File.Exists(path + Control)) return;
        throw new Gpt2Exception(
            Gpt2Error.Truncated,
            $"'{path}' is not whole: '{path}{Control}' beside it tells that aria2 fetches it still, or was stopped before its end; let it go on to its end, or fetch the file again.",
            path);
    }

    /// <summary>What of a missing file lies in its place, as a clause that follows; empty where there is nothing.</summary>
    public static string ClauseOf(string path) =>
        Ends.Select(end => path + end).FirstOrDefault(Path.Exists) is { } part ? $" ('{Path.GetFileName(part)}' beside it is a download that has not ended)" : "";

    /// <summary>The first of a folder's unfinished downloads, or of those that the hub's library keeps elsewhere for it; <see langword="null"/> where there is none.</summary>
    public static string? In(string folder)
    {
        string[] places = [folder, Path.Combine(folder, ".cache", "huggingface", "download"), Path.Combine(folder, "blobs"), Path.Combine(folder, "..", "..", "blobs")];
        return places.Where((place, i) => i == 0 || Directory.Exists(place)).SelectMany(ReadableFolder.Entries).FirstOrDefault(IsNamedSo);
    }

    private static bool IsNamedSo(string path) => Array.Exists(Ends, end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));
}
