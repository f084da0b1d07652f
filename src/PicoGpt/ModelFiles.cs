using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>
/// Reads a model's folder, in this order: which files are its weights, what tells its shape, where its vocabulary lies, and with which
/// ids its texts begin and end.
/// </summary>
internal static class ModelFiles
{
    private const string RunsFolder = "checkpoint";
    private const string ModelsFolder = "models";

    // What programs call the weights of any model.
    private static readonly string[] UsualNames = ["model", "pytorch_model", "ckpt", "checkpoint", "weights"];

    /// <summary>Opens the weights that a path means: a folder, or a file of any format.</summary>
    /// <param name="path">The path.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">There are none, or they are damaged.</exception>
    public static ITensorSource OpenWeights(string path, CancellationToken cancellationToken = default)
    {
        (CheckpointFormat format, string found) = Find(path);
        return format.Open(found, cancellationToken);
    }

    private static (CheckpointFormat Format, string Path) Find(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string fullPath = Path.GetFullPath(path);
        if (IsCompanion(Path.GetFileName(fullPath)) && File.Exists(fullPath))
            fullPath = Path.GetDirectoryName(fullPath)!;
        if (ForeignVocabulary.KindOf(Path.GetFileName(fullPath)) is not null && File.Exists(fullPath)) throw ForeignVocabulary.FaultOfFile(fullPath);
        return Directory.Exists(fullPath) ? FindIn(Path.TrimEndingDirectorySeparator(fullPath)) : (CheckpointFormats.Of(fullPath), fullPath);
    }

    // Files that lie beside the weights: the shape's and the vocabulary's.
    private static bool IsCompanion(string name) =>
        name is HuggingFaceConfig.FileName or Gpt2HyperParameters.FileName or GenerationConfig.FileName || VocabularyFormats.IsNamed(name);

    /// <summary>
    /// What a model is called: its folder's name. A file that was given and has a name of its own, such as <c>gpt2.Q4_K_M.gguf</c>, may be one
    /// of many there, and is called by that.
    /// </summary>
    /// <param name="path">The path that was given.</param>
    /// <param name="source">The weights that it led to.</param>
    public static string NameOf(string path, ITensorSource source)
    {
        string stem = Path.GetFileNameWithoutExtension(source.Location);
        bool isOwn = File.Exists(source.Location) && Path.GetFullPath(path) == source.Location
            && !Array.Exists(UsualNames, usual => stem.StartsWith(usual, StringComparison.OrdinalIgnoreCase));
        return isOwn ? stem : NameOfFolder(Path.GetDirectoryName(source.Location)!);
    }

    // Of Hugging Face's cache, where a folder is called by a digest: tiny for models--me--tiny/snapshots/5f91d94.
    private static string NameOfFolder(string folder) =>
        Path.GetDirectoryName(folder) is { } snapshots && Path.GetFileName(snapshots) == HubCache.Snapshots && HubCache.ModelOf(Path.GetDirectoryName(snapshots)) is { } model
            ? model
            : Path.GetFileName(folder);

    /// <summary>The shape of the model whose weights lie in a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="source">The weights.</param>
    /// <param name="headCount">The number of attention heads, for weights that do not tell it.</param>
    /// <exception cref="Gpt2Exception">
    /// A file that tells it is not as it should be or contradicts another or the number of heads, or the weights are not a GPT-2's.
    /// </exception>
    public static ModelShape ReadShape(string folder, ITensorSource source, int? headCount = null)
    {
        string hparams = Path.Combine(folder, Gpt2HyperParameters.FileName), config = Path.Combine(folder, HuggingFaceConfig.FileName);
        if (source.HyperParameters is { } own) return Told(own, source.Location);
        if (File.Exists(config)) return Told(File.Exists(hparams) ? Agreed(hparams, config) : HuggingFaceConfig.Load(config), config);
        if (File.Exists(hparams)) return Told(Gpt2HyperParameters.Load(hparams), hparams);
        (Gpt2HyperParameters inferred, string? assumption) =
            InferredHyperParameters.Of(source, ModelsBeside(folder).Select(HyperParametersIn).OfType<Gpt2HyperParameters>(), headCount);
        return new ModelShape(inferred, assumption);

        ModelShape Told(Gpt2HyperParameters shape, string path) => headCount is null || headCount == shape.NHead
            ? new ModelShape(shape, Config: path == config ? config : null)
            : throw ContradictedHeads(path, shape, headCount.Value);
    }

    /// <summary>
    /// What is told of an output projection that is stored, and is not the embedding, where a file says that it is. It is used, as transformers
    /// 5 does with a warning; version 4 puts the embedding in its place.
    /// </summary>
    public static string UntiedOf(string output, string location, string config) =>
        $"'{output}' in '{location}' is not the embedding, though '{config}' says that it is (tie_word_embeddings is true, or left out); it is used all the same, as transformers 5 does. "
            + "If that is right, write \"tie_word_embeddings\": false there; if not, remove the tensor.";

    /// <summary>The fault of a number of heads that is not a model's.</summary>
    public static Gpt2Exception ContradictedHeads(string path, Gpt2HyperParameters shape, int headCount) => new(
        Gpt2Error.InvalidArgument, $"'{path}' says n_head = {shape.NHead}, where {headCount} heads were asked for; leave the number of heads out.", path);

    // Of two files that tell the shape, the second tells more; where they contradict each other, nobody knows which is right.
    private static Gpt2HyperParameters Agreed(string hparams, string config)
    {
        Gpt2HyperParameters one = Gpt2HyperParameters.Load(hparams), other = HuggingFaceConfig.Load(config);
        foreach (((string name, int first), (string _, int second)) in one.Numbers.Zip(other.Numbers))
        {
            if (first == second) continue;
            throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture,
                $"'{hparams}' says {name} = {first}, where '{config}' says {second}; delete the file that does not belong to the weights.",
                hparams);
        }

        return other;
    }

    /// <summary>The folder of the vocabulary: the weights' own, or where a fine-tuned model's weights came from.</summary>
    public static string FolderOfVocabulary(string folder, ITensorSource source, Gpt2HyperParameters hyperParameters) => VocabularyFormats.IsIn(folder)
        ? folder
        : source.VocabularyFolder is { } told && VocabularyFormats.IsIn(told) ? told
        : ModelsBeside(folder).FirstOrDefault(other => VocabularyFormats.IsIn(other) && HyperParametersIn(other) == hyperParameters)
            ?? folder;

    /// <summary>
    /// The ids with which texts begin and end: what <c>generation_config.json</c> says, or else <c>config.json</c>; and the tokenizer's own
    /// end. Where nothing says it, that is <c>&lt;|endoftext|&gt;</c>.
    /// </summary>
    /// <exception cref="Gpt2Exception">A file is not as it should be.</exception>
    public static SpecialIds ReadSpecialIds(string folder, ITensorSource source, Tokenizer tokenizer)
    {
        string[] files = [.. new[] { GenerationConfig.FileName, HuggingFaceConfig.FileName }.Select(name => Path.Combine(folder, name))];
        SpecialIds said = source.SpecialIds ?? GenerationConfig.Read(files);
        int? begin = said.Begin is { } id && tokenizer.HasToken(id) ? id : tokenizer.IdOf(TokenRoles.Begin) ?? tokenizer.EndOfText;
        int[] ends = [.. said.Ends.Where(tokenizer.HasToken)];
        if (tokenizer.IdOf(TokenRoles.End) is { } end) return new SpecialIds(begin, [.. ends.Append(end).Distinct()]);
        if (ends.Length == 0 && tokenizer.EndOfText is { } usual) ends = [usual];

        // -1 is how some say that there is none
        return said.Ends.FirstOrDefault(stray => stray >= 0 && !tokenizer.HasToken(stray), defaultValue: -1) is >= 0 and var unknown
            ? new SpecialIds(begin, ends) { Doubt = EndlessBy(unknown) }
            : new SpecialIds(begin, ends);

        string EndlessBy(int stray)
        {
            string teller = source.SpecialIds is null ? files.First(file => GenerationConfig.Read(file).Ends.Contains(stray)) : source.Location;
            string what = ends.Length == 0 ? "no token ends a text" : $"a text ends with {string.Join(" or ", ends.Select(tokenizer.GetSymbol))} alone";
            return $"'{teller}' says that the id {stray} ends a text, but no token of '{tokenizer.Location}' has it; {what}.";
        }
    }

    /// <summary>
    /// Opens the vocabulary of a folder without its weights, which may tell that it is another. <see langword="null"/> where the folder has
    /// none of its own.
    /// </summary>
    /// <param name="path">The folder, or a file of the vocabulary.</param>
    /// <param name="besideWeights">Whether it is opened even where weights lie beside it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">A file of it is not as it should be.</exception>
    public static Tokenizer? OpenVocabulary(string path, bool besideWeights, CancellationToken cancellationToken)
    {
        string name = Path.GetFileName(path);
        string folder = File.Exists(path) && VocabularyFormats.IsNamed(name) ? Path.GetDirectoryName(path)! : path;
        bool isMeant = VocabularyFormats.IsIn(folder) && (besideWeights || (CheckpointFormats.FindIn(folder) is null && RunIn(folder) is null));
        return isMeant ? VocabularyFormats.Open(folder, rowCount: 0, cancellationToken) : null;
    }

    private static (CheckpointFormat Format, string Path) FindIn(string folder)
    {
        (CheckpointFormat, string Path)? found = CheckpointFormats.FindIn(folder);
        if (AdapterFile.IsIn(folder) && (found is null || AdapterFile.IsNamed(found.Value.Path))) throw AdapterAlone(folder);
        if (found is { } weights) return weights;
        if (RunIn(folder) is { } run && CheckpointFormats.FindIn(run) is { } tuned) return tuned;
        throw EmptyFolder.FaultOf(folder)
            ?? (VocabularyFormats.FilesIn(folder) is { } files ? VocabularyAlone(folder, files) : ForeignVocabulary.FaultOf(folder) ?? CheckpointFormats.NoneIn(folder));
    }

    private static Gpt2Exception AdapterAlone(string folder)
    {
        string? trainedOn = AdapterConfig.Load(Path.Combine(folder, AdapterConfig.FileName)).BaseModel;
        return new Gpt2Exception(
            Gpt2Error.AdapterAlone, $"'{folder}' holds an adapter, and not a model; open the model that it was trained on{(trainedOn is null ? "" : $", '{trainedOn}',")} with it.", folder);
    }

    private static Gpt2Exception VocabularyAlone(string folder, IEnumerable<string> files) => new(
        Gpt2Error.NoWeights,
        $"'{folder}' holds a vocabulary alone ({string.Join(", ", files.Where(File.Exists).Select(Path.GetFileName))}), and no weights{EmptyFolder.OtherClause(folder)}; "
            + "it serves to encode and decode, and to run a model put its weights beside it.",
        folder);

    /// <summary>The only run of a folder in which OpenAI's model was fine-tuned: <c>checkpoint/run1</c>.</summary>
    private static string? RunIn(string folder)
    {
        string runs = Path.GetFileName(folder) == RunsFolder ? folder : Path.Combine(folder, RunsFolder);
        if (!Directory.Exists(runs)) return null;
        string[] found = [.. ReadableFolder.Folders(runs).Where(run => CheckpointFormats.FindIn(run) is not null)];
        return found.Length <= 1
            ? found.FirstOrDefault()
            : throw new Gpt2Exception(
                Gpt2Error.FileNotFound,
                $"'{runs}' holds several runs; give one of {Excerpt.Quoted(found.Order(StringComparer.Ordinal), max: 5)} as path.",
                runs);
    }

    // nshepperd's code and gpt-2-simple keep models/124M and checkpoint/run1 in one folder; the first leaves only weights in the run.
    private static IEnumerable<string> ModelsBeside(string folder)
    {
        DirectoryInfo? runs = Directory.GetParent(folder);
        if (runs is not { Name: RunsFolder, Parent: { } root }) return [];
        string models = Path.Combine(root.FullName, ModelsFolder);
        return Directory.Exists(models) ? ReadableFolder.Folders(models).Order(StringComparer.Ordinal) : [];
    }

    private static Gpt2HyperParameters? HyperParametersIn(string folder)
    {
        string path = Path.Combine(folder, Gpt2HyperParameters.FileName);
        return File.Exists(path) ? Gpt2HyperParameters.Load(path) : null;
    }
}
