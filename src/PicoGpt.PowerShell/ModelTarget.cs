using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>
/// What was piped to a command that works on a model where it lies: an object that means one, with the place of its files. A name alone
/// never stands for an object that has a place.
/// </summary>
public sealed class ModelTarget
{
    private readonly string? _path;

    /// <summary>Means what an object means.</summary>
    /// <param name="name">The model's name, where the object has one.</param>
    /// <param name="path">Where its files are, where the object tells that.</param>
    internal ModelTarget(string? name, string? path) => (Name, _path) = (name, path);

    /// <summary>Means an open model.</summary>
    /// <param name="model">The model.</param>
    internal ModelTarget(Gpt2Model model) => (Name, _path, Model) = (model.Name, model.Path.Length == 0 ? null : model.Path, model);

    /// <summary>The model's name; <see langword="null"/> where only its place is known.</summary>
    public string? Name { get; }

    /// <summary>The open model that was piped, if it was one.</summary>
    public Gpt2Model? Model { get; }

    /// <summary>How a model was open in the session that it came from; <see langword="null"/> of any other.</summary>
    internal CarriedModel? Carried { get; init; }

    /// <summary>Whether it has a place of its own, and not only a name.</summary>
    internal bool HasPath => _path is not null;

    /// <summary>Whether one of a model's files was given, and not its folder.</summary>
    internal bool IsFile => Model is null && File.Exists(_path);

    /// <summary>The model of the cache that is meant.</summary>
    /// <param name="session">The session whose location a relative path starts from.</param>
    /// <returns>The model; <see langword="null"/> where it is not one of the cache's.</returns>
    /// <exception cref="Gpt2Exception">It has a name alone, which no model has, or is in memory.</exception>
    internal CatalogModel? CachedModel(SessionState session)
    {
        if (HasPath) return ModelStore.Default.ModelAt(Path(session));
        if (Model is null) return ModelCatalog.Resolve(Name!);
        throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"{Name} is a copy in memory and has no files; Export-Gpt2Model writes it to some.");
    }

    /// <summary>The model of the cache that is meant, where only those can be worked on.</summary>
    /// <param name="session">The session whose location a relative path starts from.</param>
    /// <param name="instead">What to do with another, as a clause.</param>
    /// <exception cref="Gpt2Exception">It is not one of the cache's.</exception>
    internal CatalogModel RequireCached(SessionState session, string instead)
    {
        CatalogModel? model = IsFile ? null : CachedModel(session);
        return model ?? throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"'{Path(session)}' is not the folder of a model of the cache in '{ModelStore.Default.Root}'; {instead}.",
            Path(session));
    }

    /// <summary>The full path of the model's folder, or of what of it is opened.</summary>
    /// <param name="session">The session whose location a relative path starts from.</param>
    internal string Path(SessionState session) =>
        System.IO.Path.IsPathFullyQualified(_path!) ? _path! : SessionPath.Resolve(session, _path!);

    /// <inheritdoc/>
    public override string ToString() => _path ?? Name ?? "";
}
