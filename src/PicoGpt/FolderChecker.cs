using System.Numerics.Tensors;
using System.Text.RegularExpressions;
using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Machine;
using PicoGpt.Store;
using PicoGpt.Tokens;
using PicoGpt.Weights;

namespace PicoGpt;

/// <summary>
/// Checks any model's folder, of whatever format: every tensor against its checksum where the format has one, and else for values that
/// are not numbers; whether the tensors make a GPT-2; and whether the vocabulary can be read and fits.
/// </summary>
internal static partial class FolderChecker
{
    /// <summary>Checks what a path means, one result each, as they come.</summary>
    /// <param name="path">The full path of a folder, or of what of it is opened as a model.</param>
    /// <param name="progress">Told the bytes of tensors checked so far.</param>
    /// <param name="cancellationToken">Looked at before every tensor.</param>
    /// <exception cref="Gpt2Exception">Nothing is there.</exception>
    public static IEnumerable<ModelCheck> Check(string path, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        string folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path)!;
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        Gpt2HyperParameters? shape = null;
        string? vocabularyFolder = null;
        ITensorSource? source = Open(path, cancellationToken, out Gpt2Exception? fault);
        if (source is null)
        {
            yield return ResultOf(name, fault!.Path ?? path, null, fault);
        }
        else
        {
            using (source)
            {
                folder = Path.GetDirectoryName(source.Location)!;
                name = ModelFiles.NameOf(path, source);
                foreach (ModelCheck check in CheckFiles(source, name, folder, ref shape, cancellationToken)) yield return check;
                foreach (ModelCheck check in CheckTensors(source, name, progress, cancellationToken)) yield return check;
                if (shape is not null && source.Vocabulary is { } open)
                {
                    (Gpt2Exception? wrong, Tokenizer? carried) = Examine(() => open(cancellationToken), shape);
                    yield return ResultOf(name, source.Location, "vocabulary", wrong) with { Doubt = carried?.Doubt };
                    yield break;
                }

                if (shape is not null) vocabularyFolder = ModelFiles.FolderOfVocabulary(folder, source, shape);
            }
        }

        foreach (ModelCheck check in CheckVocabulary(name, vocabularyFolder ?? folder, shape, cancellationToken)) yield return check;
    }

    /// <summary>Checks the adapter of a model that has one: whether it can be read, is of this model's shape, and has numbers alone.</summary>
    public static IEnumerable<ModelCheck> CheckAdapter(Gpt2Model model)
    {
        Gpt2Exception? fault = Fault(() => RequireFinite(AdapterFile.Read(model.Prefix, model.HyperParameters, model.Name)));
        string config = Path.Combine(model.Path, AdapterConfig.FileName);
        yield return ResultOf(model.Name, config, null, fault?.Path == config ? fault : null);
        yield return ResultOf(model.Name, model.Prefix, null, fault?.Path == config ? null : fault);
    }

    private static void RequireFinite(AdapterFile adapter)
    {
        if (adapter.Matrices.FirstOrDefault(pair => !TensorPrimitives.IsFiniteAll<float>(pair.Value.A) || !TensorPrimitives.IsFiniteAll<float>(pair.Value.B)).Key is { } weight)
            throw new Gpt2Exception(Gpt2Error.Corrupt, $"What the adapter '{adapter.Path}' adds to '{weight}' has values that are infinite or are not numbers.", adapter.Path);
    }

    // What does not exist at all is for the caller to report.
    private static ITensorSource? Open(string path, CancellationToken cancellationToken, out Gpt2Exception? fault)
    {
        fault = null;
        try
        {
            return ModelFiles.OpenWeights(path, cancellationToken);
        }
        catch (Gpt2Exception found) when (found.Error != Gpt2Error.FileNotFound || Path.Exists(path))
        {
            fault = found;
            return null;
        }
    }

    // What tells the shape, then what holds the weights: whether they are there, whole, and a GPT-2's.
    private static List<ModelCheck> CheckFiles(ITensorSource source, string model, string folder, ref Gpt2HyperParameters? shape, CancellationToken cancellationToken)
    {
        Gpt2HyperParameters? found = null;
        Gpt2Exception? shapeFault = Fault(() => found = ModelFiles.ReadShape(folder, source).HyperParameters)
            ?? (source.SpecialIds is null ? Fault(() => GenerationConfig.Read(Path.Combine(folder, HuggingFaceConfig.FileName))) : null);
        shape = found;
        Gpt2Exception? fault = Fault(() => source.EnsureComplete(cancellationToken)) ?? (found is null ? null : Fault(() => _ = Gpt2Parameters.Load(source, found, cancellationToken)));
        List<ModelCheck> checks = [];
        string[] besides = TellsItself(source) ? [] : [.. new[] { Gpt2HyperParameters.FileName, HuggingFaceConfig.FileName }.Select(name => Path.Combine(folder, name)).Where(File.Exists)];
        if (besides.Length == 0 && shapeFault is not null) checks.Add(ResultOf(model, source.Location, null, shapeFault));
        string? blamedShape = besides.FirstOrDefault(file => file == shapeFault?.Path) ?? besides.FirstOrDefault();
        checks.AddRange(besides.Select(file => ResultOf(model, file, null, file == blamedShape ? shapeFault : null)));
        string ids = Path.Combine(folder, GenerationConfig.FileName);
        if (source.SpecialIds is null && File.Exists(ids)) checks.Add(ResultOf(model, ids, null, Fault(() => GenerationConfig.Read(ids))));
        string[] files = [.. FilesOf(source).Except(besides)];
        string blamed = files.FirstOrDefault(file => file == fault?.Path) ?? files[0];
        checks.AddRange(files.Select(file => ResultOf(model, file, null, file == blamed ? fault : null)));
        return checks;
    }

    // Of a file that tells the shape itself, or whose model is another's, the files beside it are not asked.
    private static bool TellsItself(ITensorSource source)
    {
        bool isTold = false;
        return Fault(() => isTold = source.HyperParameters is not null) is not null || isTold;
    }

    // A TensorFlow checkpoint's location is a prefix, beside which the index lies.
    private static IEnumerable<string> FilesOf(ITensorSource source)
    {
        string location = File.Exists(source.Location) ? source.Location : BundlePath.IndexFile(source.Location);
        return source.DataFiles.Prepend(location).Distinct();
    }

    private static IEnumerable<ModelCheck> CheckTensors(
        ITensorSource source, string model, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        string file = source.DataFiles.Count == 1 ? source.DataFiles[0] : FilesOf(source).First();
        WeightNaming naming = TensorMatch.NamingOf(source);
        HashSet<string> gains = GainsOf(source, naming);
        long done = 0;
        foreach (IGrouping<string, StoredTensor> group in source.Tensors.GroupBy(tensor => GroupOf(tensor.Name)))
        {
            Gpt2Exception? fault = null;
            string? doubt = null;
            foreach (StoredTensor tensor in group)
            {
                cancellationToken.ThrowIfCancellationRequested();
                string? found = null;
                fault ??= Fault(() => found = Check(tensor, naming.IsMask(tensor.Name), gains.Contains(tensor.Name), source.Location, cancellationToken));
                doubt ??= found;
                progress?.Report(done += tensor.Size);
            }

            yield return ResultOf(model, file, group.Key, fault) with { Doubt = fault is null ? doubt : null };
        }
    }

    // A layer norm's gain of zeros would let nothing pass.
    private static HashSet<string> GainsOf(ITensorSource source, WeightNaming naming)
    {
        HashSet<string> there = [.. source.Tensors.Select(tensor => tensor.Name)], gains = [naming.Of("ln_f/g")];
        for (int layer = 0; there.Contains(naming.Of($"h{layer}/ln_1/g")); layer++) gains.UnionWith([naming.Of($"h{layer}/ln_1/g"), naming.Of($"h{layer}/ln_2/g")]);
        return gains;
    }

    // The architecture does not need the causal masks; some programs have them with minus infinity. Gives what is suspicious in the others.
    private static string? Check(StoredTensor tensor, bool isMask, bool isGain, string location, CancellationToken cancellationToken)
    {
        tensor.Verify(cancellationToken);
        if (!tensor.DType.IsFloat() || isMask) return null;
        using var values = new HeldMemory<float>(tensor.GetFloats());
        if (isGain && values.IfUnchanged(!values.Span.ContainsAnyExcept(0f)))
            throw new Gpt2Exception(Gpt2Error.Corrupt, $"Tensor '{tensor.Name}' in '{location}' holds nothing but zeros, as where a download did not end: fetch the file again.", location);
        if (!values.IfUnchanged(TensorPrimitives.IsFiniteAll(values.Span)))
            throw new Gpt2Exception(Gpt2Error.Corrupt, $"Tensor '{tensor.Name}' in '{location}' has values that are infinite or are not numbers.", location);
        return values.IfUnchanged(tensor.FindHole()?.In(tensor.Name) ?? HoleWrittenInto(tensor, values, location));
    }

    // A checksum vouches for what was written, and not for what that was made of. That may have been in other types, so the numbers are looked at.
    private static unsafe string? HoleWrittenInto(StoredTensor tensor, HeldMemory<float> values, string location)
    {
        if (tensor.Shape.Rank < 2 || !tensor.HasChecksum) return null;
        long zeros = FileHole.Find((byte*)values.Start, (long)values.Length * sizeof(float), tensor.Shape[tensor.Shape.Rank - 1] * sizeof(float), sizeof(float)).Length;
        return zeros == 0 ? null : $"'{location}' holds {MemorySize.Of(zeros)} of nothing but zeros in '{tensor.Name}', and was written so; if the model was not made so, "
            + "it was exported from a file whose download did not end: fetch that again.";
    }

    private static IEnumerable<ModelCheck> CheckVocabulary(
        string model, string folder, Gpt2HyperParameters? shape, CancellationToken cancellationToken)
    {
        if (VocabularyFormats.FilesIn(folder) is not { } files)
        {
            if (shape is null) yield break; // the vocabulary may be in the weights' file, of which the fault is told
            yield return new ModelCheck(
                model,
                VocabularyFormats.All[0].FileNames[0],
                null,
                ForeignVocabulary.FaultOf(folder)?.Message ?? $"'{folder}' has no vocabulary, so the model can neither read nor write text.");
            yield break;
        }

        (Gpt2Exception? fault, Tokenizer? tokenizer) = Examine(() => VocabularyFormats.Open(folder, shape?.NVocab ?? 0, cancellationToken), shape);
        string blamed = files.FirstOrDefault(file => file == fault?.Path) ?? files[0];
        foreach (string file in files)
            yield return ResultOf(model, file, null, file == blamed ? fault : null) with { Doubt = file == tokenizer?.Files[^1] ? tokenizer.Doubt : null };
    }

    // The vocabulary where nothing is wrong with it, or what is.
    private static (Gpt2Exception? Fault, Tokenizer? Tokenizer) Examine(Func<Tokenizer> open, Gpt2HyperParameters? shape)
    {
        Tokenizer? tokenizer = null;
        if (Fault(() => tokenizer = open()) is { } fault) return (fault, null);
        return shape is not null && VocabularyFit.DoubtOf(tokenizer!, shape.NVocab) is { } doubt
            ? (new Gpt2Exception(Gpt2Error.WrongArchitecture, doubt, tokenizer!.Location), null)
            : (null, tokenizer);
    }

    // "model/h0/attn/c_attn/w" and "transformer.h.0.attn.c_attn.weight" belong to "h0", "model/wte" and "wte.weight" to "wte".
    private static string GroupOf(string tensor)
    {
        Match block = Block().Match(tensor);
        if (block.Success) return $"h{block.Groups[1].Value}";
        string[] parts = [.. tensor.Split('/', '.').SkipWhile(part => part is "model" or "transformer")];
        return parts.Length > 0 ? parts[0] : tensor;
    }

    [GeneratedRegex(@"(?:^|[/.])(?:h|blocks|trf_blocks|blk)[/.]?(\d+)[/.]")]
    private static partial Regex Block();

    private static ModelCheck ResultOf(string model, string path, string? tensors, Gpt2Exception? fault) =>
        new(model, Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), tensors, fault?.Message);

    private static Gpt2Exception? Fault(Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (Gpt2Exception fault)
        {
            return fault;
        }
        catch (IOException fault) // someone took a file away meanwhile
        {
            return new Gpt2Exception(Gpt2Error.Unreadable, fault.Message, innerException: fault);
        }
    }
}
