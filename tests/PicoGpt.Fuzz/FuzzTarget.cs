namespace PicoGpt.Fuzz;

/// <summary>
/// One kind of file that comes from outside, and its reader. A target writes good files into its folder, makes mutants of them, and reads
/// whatever lies in the folder.
/// </summary>
internal abstract class FuzzTarget
{
    private readonly Dictionary<string, byte[]> _good = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    /// <param name="name">What the table calls it.</param>
    /// <param name="root">Where the target has its folder.</param>
    protected FuzzTarget(string name, string root)
    {
        Name = name;
        Folder = Path.Combine(root, name);
        Directory.CreateDirectory(Folder);
    }

    public string Name { get; }

    public string Folder { get; }

    /// <summary>What is read of the good files.</summary>
    public string GoodAnswer { get; private set; } = "";

    /// <summary>Changes files of <see cref="Good"/>.</summary>
    public abstract Mutant Mutate(Dice dice);

    /// <summary>Reads all that the files hold, as a program would.</summary>
    /// <returns>A text that is another when something else is read; empty where nothing can be told.</returns>
    public abstract string Read();

    /// <summary>Makes the mutant's files lie in the folder, and the good ones beside them.</summary>
    public void Put(Mutant mutant)
    {
        foreach (string name in _changed.Except(mutant.Files.Select(file => file.Name))) Write(name, _good[name]);
        _changed.Clear();
        foreach ((string name, byte[] bytes) in mutant.Files)
        {
            Write(name, bytes);
            _changed.Add(name);
        }
    }

    /// <summary>A good file's bytes.</summary>
    protected byte[] Good(string name) => _good[name];

    /// <summary>Takes what lies in the folder for good.</summary>
    protected void Begin()
    {
        foreach (string path in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
            _good.Add(Path.GetRelativePath(Folder, path).Replace(Path.DirectorySeparatorChar, '/'), File.ReadAllBytes(path));
        GoodAnswer = Read();
    }

    private void Write(string name, byte[] bytes) => TestFile.Overwrite(Path.Combine(Folder, name), bytes);
}
