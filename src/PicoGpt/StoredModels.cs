using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>What is done with a store's models: listing them with the memory that they take, and opening them.</summary>
public static class StoredModels
{
    /// <summary>The memory to run a model with one text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="precision">How its matrices are held.</param>
    /// <returns>The estimate.</returns>
    public static Gpt2MemoryNeed MemoryNeed(this CatalogModel model, Gpt2Precision precision = Gpt2Precision.Float32)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Gpt2MemoryNeed.Of(model.HyperParameters, precision);
    }

    /// <summary>The models of the catalog with what of them is on this machine.</summary>
    /// <param name="store">Where they are.</param>
    /// <returns>One object per model, the smallest first.</returns>
    public static IReadOnlyList<ModelInfo> List(this ModelStore store) => [.. ModelCatalog.Models.Select(model => store.Describe(model))];

    /// <summary>What of a model is on this machine.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="model">The model.</param>
    /// <returns>Its state, sizes and folder.</returns>
    public static ModelInfo Describe(this ModelStore store, CatalogModel model)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.Describe(model, model.MemoryNeed().Total);
    }

    /// <summary>Opens a model that is on this machine.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="model">The model.</param>
    /// <param name="precision">How the matrices are to be held while the model runs.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The open model.</returns>
    /// <exception cref="Gpt2Exception">The model is not here, or its files are not as they should be.</exception>
    public static Gpt2Model Open(this ModelStore store, CatalogModel model, Gpt2Precision precision = Gpt2Precision.Float32, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(model);
        string folder = store.GetFolder(model);
        if (model.IsBuiltIn) return Gpt2Model.Open(folder, model.Name, precision, cancellationToken: cancellationToken);
        CatalogFile[] missing = [.. model.Files.Where(file => !file.IsIn(folder))];
        if (missing.Length == 0) return OpenCached(store, model, folder, precision, cancellationToken);
        throw new Gpt2Exception(
            Gpt2Error.ModelNotCached,
            $"The model {model.Name} is not on this machine: '{folder}' lacks {string.Join(", ", missing.Select(file => file.Name))}; fetch it first.",
            folder)
        {
            Model = model.Name,
        };
    }

    /// <summary>Opens a model by a name of the catalog or, where it is not one, by a path.</summary>
    /// <param name="store">Where the catalog's models are.</param>
    /// <param name="nameOrPath">
    /// The name or path. A name wins, and a folder of the same name is meant by <c>./124M</c>; but a folder <c>openai-community/gpt2</c> wins.
    /// </param>
    /// <param name="fullPath">The same as a path, made absolute by the caller's rules.</param>
    /// <param name="precision">How the matrices are to be held while the model runs.</param>
    /// <param name="headCount">The number of attention heads, for weights at a path that do not tell it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The open model.</returns>
    /// <exception cref="Gpt2Exception">
    /// There is no such model, its files are not as they should be, or it has another number of heads.
    /// </exception>
    public static Gpt2Model Open(
        this ModelStore store, string nameOrPath, string fullPath, Gpt2Precision precision = Gpt2Precision.Float32, int? headCount = null, CancellationToken cancellationToken = default)
    {
        if (ModelCatalog.TryResolve(nameOrPath, fullPath, out CatalogModel? model))
        {
            return headCount is null || headCount == model.HyperParameters.NHead
                ? store.Open(model, precision, cancellationToken)
                : throw ModelFiles.ContradictedHeads(model.Name, model.HyperParameters, headCount.Value);
        }

        bool isPath = Path.Exists(fullPath) || nameOrPath.AsSpan().ContainsAny('/', '\\');
        if (!isPath) throw ModelCatalog.Unknown(nameOrPath);
        try
        {
            return Gpt2Model.Open(fullPath, precision: precision, headCount: headCount, cancellationToken: cancellationToken);
        }
        catch (Gpt2Exception fault) when (fault.Error == Gpt2Error.FileNotFound && !Path.Exists(fullPath))
        {
            throw ModelCatalog.Nowhere(nameOrPath, fault);
        }
    }

    private static Gpt2Model OpenCached(ModelStore store, CatalogModel model, string folder, Gpt2Precision precision, CancellationToken cancellationToken)
    {
        ModelUse use = ModelUse.Share(store.Root, model.Name);
        try
        {
            // Not the folder: its file 'checkpoint' could lead out of the cache.
            CatalogFile index = model.Files.First(file => file.Name.EndsWith(".index", StringComparison.Ordinal));
            return Gpt2Model.Open(Path.Combine(folder, index.Name), model.Name, precision, headCount: null, use, cancellationToken);
        }
        catch
        {
            use.Dispose();
            throw;
        }
    }
}
