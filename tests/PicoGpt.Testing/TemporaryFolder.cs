namespace PicoGpt.Testing;

/// <summary>A folder that is deleted when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>Makes an empty folder.</summary>
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("picogpt-test-").FullName;

    /// <summary>Its full path.</summary>
    public string Path { get; }

    /// <summary>The full path of a file in it.</summary>
    /// <param name="name">Its name, with slashes where it is in a folder of this one.</param>
    /// <returns>The path.</returns>
    public string File(string name) => System.IO.Path.Combine(Path, name.Replace('/', System.IO.Path.DirectorySeparatorChar));

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception fault) when (OperatingSystem.IsWindows() && fault is IOException or UnauthorizedAccessException)
        {
            TestFile.Release(); // of what was mapped, and has been closed
            Directory.Delete(Path, recursive: true);
        }
    }
}
