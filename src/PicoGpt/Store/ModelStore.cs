using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>
/// The per-user cache of models: one folder per model, files under their original names, so that other tools can use them.
/// </summary>
/// <param name="root">The folder that holds the models' folders; it need not exist.</param>
public sealed class ModelStore(string root)
{
    /// <summary>The environment variable that overrides the place of the cache.</summary>
    public const string HomeVariable = "PICOGPT_HOME";

    /// <summary>
    /// The current user's cache: <c>%LOCALAPPDATA%\PicoGpt</c> on Windows, <c>~/Library/Caches/PicoGpt</c> on macOS,
    /// <c>$XDG_CACHE_HOME/picogpt</c> or <c>~/.cache/picogpt</c> elsewhere; PICOGPT_HOME overrides it.
    /// </summary>
    public static ModelStore Default => new(DefaultRoot());

    /// <summary>The folder that holds the models' folders.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>How much of a model is on this machine.</summary>
    /// <param name="model">The model.</param>
    /// <param name="memoryNeeded">The bytes of memory that it takes to run, as they are to be reported.</param>
    /// <returns>Its state, sizes and folder.</returns>
    internal ModelInfo Describe(CatalogModel model, long memoryNeeded)
    {
        ArgumentNullException.ThrowIfNull(model);
        string folder = GetFolder(model);
        if (model.IsBuiltIn)
        {
            long size = new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length);
            return new ModelInfo(model.Name, ModelState.BuiltIn, model.ParameterCount, size, 0, memoryNeeded, folder);
        }

        CatalogFile[] missing = [.. model.Files.Where(file => !file.IsIn(folder))];
        CatalogFile[] whole = [.. model.Files.Except(missing)];
        long present = whole.Sum(file => file.LengthIn(folder) ?? 0);
        long linked = whole.Where(file => OwnFile.IsLink(Path.Combine(folder, file.Name))).Sum(file => file.LengthIn(folder) ?? 0);
        long onDisk = ModelRemoval.Of(folder, model).Size + linked;
        long unfinished = missing.Sum(file => PartFile.DoneLengthOf(Path.Combine(folder, file.Name)));
        long toFetch = Math.Max(0, missing.Sum(file => file.Size ?? 0) - unfinished);
        ModelState state = missing.Length == 0 ? ModelState.Cached
            : unfinished > 0 || model.Files.Any(file => File.Exists(Path.Combine(folder, file.Name))) ? ModelState.Partial
            : ModelState.NotFetched;
        return new ModelInfo(model.Name, state, model.ParameterCount, onDisk, toFetch, memoryNeeded, folder)
        {
            SizeFetched = present + unfinished,
        };
    }

    /// <summary>The folder where a model's files are or would be.</summary>
    /// <param name="model">The model.</param>
    /// <returns>A full path.</returns>
    public string GetFolder(CatalogModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Path.Combine(model.IsBuiltIn ? BuiltInRoot() : Root, model.Name);
    }

    /// <summary>The model of the catalog whose files are in that folder, if it is one of this store's.</summary>
    /// <param name="path">A full path: of the folder, or of one of the model's own files in it.</param>
    /// <returns>The model; <see langword="null"/> for anything else.</returns>
    public CatalogModel? ModelAt(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(FileSystemFacts.OfThisMachine.Plain(path)));
        StringComparison rule = FileSystemFacts.OfThisMachine.NameComparison;
        return ModelCatalog.Models.FirstOrDefault(model => folder.Equals(GetFolder(model), rule) || IsFileOf(model));

        bool IsFileOf(CatalogModel model) => GetFolder(model).Equals(Path.GetDirectoryName(folder), rule)
            && (model.IsBuiltIn ? File.Exists(folder) : model.Files.Any(file => file.Name.Equals(Path.GetFileName(folder), rule)));
    }

    /// <summary>What removing a model would delete, and what it would leave.</summary>
    /// <param name="model">The model.</param>
    /// <returns>The files, by name.</returns>
    /// <exception cref="Gpt2Exception">The model ships with the module.</exception>
    public ModelRemoval PlanRemoval(CatalogModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.IsBuiltIn)
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"The model {model.Name} ships with the module and cannot be removed.");
        return ModelRemoval.Of(GetFolder(model), model);
    }

    /// <summary>Checks a model's files and tensors, one result each, as they come.</summary>
    /// <param name="model">The model.</param>
    /// <param name="progress">Told the bytes of tensors checked so far, from several threads.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <returns>A result for each file, followed, for the weights, by one for each group of tensors.</returns>
    public IEnumerable<ModelCheck> Check(CatalogModel model, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return ModelChecker.Check(GetFolder(model), model, progress, cancellationToken);
    }

    /// <summary>
    /// Deletes everything of a model that is on this machine; files that somebody else put there stay, and keep the folder. Where the
    /// folder is a link, only the link is deleted.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <returns>What was deleted, and what stayed.</returns>
    /// <exception cref="Gpt2Exception">
    /// The model ships with the module, is being fetched by another process, is open, or cannot be deleted.
    /// </exception>
    public ModelRemoval Remove(CatalogModel model)
    {
        ModelRemoval removal = PlanRemoval(model);
        if (removal.IsEmpty) return removal;
        try
        {
            using ModelLock? owned = ModelLock.TryTake(Root, model.Name, out string owner);
            if (owned is null)
                throw new Gpt2Exception(Gpt2Error.InUse, $"The model {model.Name} is being fetched by {owner}; stop that or wait for it.", removal.Folder);
            using ModelUse alone = ModelUse.TakeAlone(Root, model.Name);
            removal = PlanRemoval(model); // again, now that nobody else can change the folder
            removal.Execute();
            return removal;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new Gpt2Exception(
                UnwritableFile.IsInUse(fault) ? Gpt2Error.InUse : Gpt2Error.Unwritable,
                $"The model {model.Name} cannot be removed from '{removal.Folder}': {UnwritableFile.ReasonOf(fault)}.",
                removal.Folder,
                fault);
        }
    }

    // Beside the engine's assembly; a single-file program has no assembly on disk, only a base folder.
    private static string BuiltInRoot() =>
        Path.Combine(Path.GetDirectoryName(typeof(ModelStore).Assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory, "models");

    private static string DefaultRoot()
    {
        return Environment.GetEnvironmentVariable(HomeVariable) is { Length: > 0 } home
            ? home
            : FileSystemFacts.OfThisMachine.CacheFolder(Environment.GetEnvironmentVariable, FolderOf);
    }

    // Whether it exists or not: the current folder must not become the cache of a user without a home.
    private static string FolderOf(Environment.SpecialFolder folder)
    {
        string path = Environment.GetFolderPath(folder, Environment.SpecialFolderOption.DoNotVerify);
        return Path.IsPathRooted(path) ? path : Path.GetFullPath(Path.DirectorySeparatorChar.ToString());
    }
}
