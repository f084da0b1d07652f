namespace PicoGpt.Files;

/// <summary>Files that get their names together, when all are whole; before that, or where one fails, nothing of them is there.</summary>
internal sealed class OutputFiles : IDisposable
{
    private readonly List<OutputFile> _files = [];

    /// <summary>Whether a file has just that content.</summary>
    public static bool IsThere(string path, byte[] content) =>
        File.Exists(path) && new FileInfo(path).Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);

    /// <summary>Writes a file that has its name later.</summary>
    /// <param name="path">The full path; its folder is there.</param>
    /// <param name="write">Writes the content.</param>
    public void Add(string path, Action<Stream> write)
    {
        var file = new OutputFile(path);
        _files.Add(file);
        write(file.Stream);
        file.Complete();
    }

    /// <summary>Writes a file, unless it is there and the same.</summary>
    public void AddUnlessThere(string path, byte[] content)
    {
        if (!IsThere(path, content)) Add(path, stream => stream.Write(content));
    }

    /// <summary>Gives the files their names, and then those without which they are nothing; see <see cref="Publication"/>.</summary>
    /// <exception cref="Gpt2Exception">An older file is in use, or marked as read-only; all are as they were.</exception>
    public void Publish(IEnumerable<OutputFile> last) => Publication.Of([.. _files, .. last]);

    public void Dispose()
    {
        foreach (OutputFile file in _files) file.Dispose();
    }
}
