using System.Diagnostics.CodeAnalysis;
using PicoGpt.Architecture;

namespace PicoGpt.Store;

/// <summary>The models that PicoGpt knows by name: the built-in one and the four that OpenAI published.</summary>
/// <remarks>
/// Sizes and hashes are those of OpenAI's files at <c>openaipublic.blob.core.windows.net/gpt-2/models</c>. The graph
/// <c>model.ckpt.meta</c> is not among them: it is not needed to load the weights.
/// </remarks>
public static class ModelCatalog
{
    private const string Encoder = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783";
    private const string Vocabulary = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5";
    private const string Checkpoint = "dd1b025d2e155283f5e300ce95bf6d5b6bc0f7fe010db73daa6975eb896ab9cb";

    /// <summary>All models, the smallest first.</summary>
    public static IReadOnlyList<CatalogModel> Models { get; } =
    [
        new CatalogModel("3M", [], new Gpt2HyperParameters(2048, 256, 192, 3, 6), []),
        new CatalogModel(
            "124M",
            ["gpt2", "gpt2-small", "117M", "openai-community/gpt2"],
            new Gpt2HyperParameters(50257, 1024, 768, 12, 12),
            Files(
                new CatalogFile("hparams.json", 90, "d9d56e4121c427164e0c55c6f03c08e1daf9002b9b672825112d19097b680318"),
                new CatalogFile("model.ckpt.index", 5215, "71916f763f9746f9b2a06b12d91996cf1084ae008d0424543d39391c5f2dc687"),
                new CatalogFile("model.ckpt.data-00000-of-00001", 497759232, "2060c885360cc0cf41d7a6dbc4d24b5127aae20260c8b5ae521b5a6578407118"))),
        new CatalogModel(
            "355M",
            ["gpt2-medium", "345M", "openai-community/gpt2-medium"],
            new Gpt2HyperParameters(50257, 1024, 1024, 16, 24),
            Files(
                new CatalogFile("hparams.json", 91, "310dfdb1f0c786b79d93459eaa470f3978d873bdc3e1f9fed1cad24d9dd0b1f6"),
                new CatalogFile("model.ckpt.index", 10399, "4490e7b1f5ec0abfc1e111fcd27cdda7cb280c597ba0a885c364134e62ce43aa"),
                new CatalogFile("model.ckpt.data-00000-of-00001", 1419292672, "22b4212602a087d1cdeec3509648f4d7b1f181eaa33ce0f3c688fbfb732d622f"))),
        new CatalogModel(
            "774M",
            ["gpt2-large", "762M", "openai-community/gpt2-large"],
            new Gpt2HyperParameters(50257, 1024, 1280, 20, 36),
            Files(
                new CatalogFile("hparams.json", 91, null),
                new CatalogFile("model.ckpt.index", null, null),
                new CatalogFile("model.ckpt.data-00000-of-00001", 3096120320, null))),
        new CatalogModel(
            "1558M",
            ["gpt2-xl", "1.5B", "1542M", "openai-community/gpt2-xl"],
            new Gpt2HyperParameters(50257, 1024, 1600, 25, 48),
            Files(
                new CatalogFile("hparams.json", 91, "647420ef8cf586f8933899000aa50c1996eaca50e4dc6fbd25bfdc64f4207bbf"),
                new CatalogFile("model.ckpt.index", 20724, "3a968cd212647a6007ddf7d6c9f52c9b158d0e9aabc9206390709c37d4175e5e"),
                new CatalogFile("model.ckpt.data-00000-of-00001", 6230444800, null))),
    ];

    /// <summary>Finds a model by its name or one of its aliases, in any case.</summary>
    /// <param name="name">The name.</param>
    /// <param name="model">The model found.</param>
    /// <returns>Whether there is one.</returns>
    public static bool TryResolve(string name, [NotNullWhen(true)] out CatalogModel? model)
    {
        model = Models.FirstOrDefault(m => m.Aliases.Prepend(m.Name).Contains(name, StringComparer.OrdinalIgnoreCase));
        return model is not null;
    }

    /// <summary>Finds a model by what may be a path as well, as Hugging Face's <c>openai-community/gpt2</c> may: that is meant where something lies there.</summary>
    /// <param name="nameOrPath">The name or path.</param>
    /// <param name="fullPath">The same as a path, made absolute by the caller's rules.</param>
    /// <param name="model">The model found.</param>
    /// <returns>Whether a model of the catalog is meant.</returns>
    public static bool TryResolve(string nameOrPath, string fullPath, [NotNullWhen(true)] out CatalogModel? model) =>
        TryResolve(nameOrPath, out model) && !(nameOrPath.Contains('/', StringComparison.Ordinal) && Path.Exists(fullPath));

    /// <summary>The model of a name or one of its aliases, in any case.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Gpt2Exception">There is none; the message lists the names there are.</exception>
    public static CatalogModel Resolve(string name) => TryResolve(name, out CatalogModel? model) ? model : throw Unknown(name);

    /// <summary>The error for a name that no model has.</summary>
    internal static Gpt2Exception Unknown(string name)
    {
        string names = string.Join(", ", Models.Select(m => m.Aliases.Count == 0 ? m.Name : $"{m.Name} ({string.Join(", ", m.Aliases.Where(alias => !alias.Contains('/')))})"));
        string hint = name.Contains("://", StringComparison.Ordinal) ? $"; of what is at another address {FetchElsewhere}"
            : MayBeOfHuggingFace(name) ? $"; if it is a model at Hugging Face, {FetchElsewhere}"
            : name.AsSpan().ContainsAny('/', '\\') ? ""
            : name.AsSpan().ContainsAny('*', '?') ? "; here none has a wildcard"
            : $"; for a model's folder give its path, such as ./{name}";
        return new Gpt2Exception(Gpt2Error.UnknownModel, $"There is no model named '{name}'. The names are {names}{hint}.") { Model = name };
    }

    /// <summary>The error for what could be a path, and leads nowhere.</summary>
    internal static Gpt2Exception Nowhere(string nameOrPath, Gpt2Exception fault) => MayBeOfHuggingFace(nameOrPath)
        ? new Gpt2Exception(fault.Error, $"{fault.Message.TrimEnd('.')}. If it is a model at Hugging Face, {FetchElsewhere}.", fault.Path, fault)
        : fault;

    private const string FetchElsewhere = "fetch all files of it into a folder, and give the path of that: only OpenAI's models are fetched by name";

    // As in distilbert/distilgpt2.
    private static bool MayBeOfHuggingFace(string name) =>
        name.Split('/') is [[not ('.' or '~'), ..] owner, [not '.', ..] model] && !owner.AsSpan().ContainsAny('\\', ':') && !model.Contains('\\', StringComparison.Ordinal);

    // What all four have in common, and in what order they are fetched: the small files first.
    private static CatalogFile[] Files(CatalogFile hparams, CatalogFile index, CatalogFile data) =>
    [
        new CatalogFile("checkpoint", 77, Checkpoint),
        hparams,
        new CatalogFile("encoder.json", 1042301, Encoder),
        new CatalogFile("vocab.bpe", 456318, Vocabulary),
        index,
        data,
    ];
}
