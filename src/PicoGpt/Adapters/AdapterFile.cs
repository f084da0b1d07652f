using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.PyTorch;
using PicoGpt.Checkpoints.Safetensors;
using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Adapters;

/// <summary>
/// A low-rank adapter as PEFT keeps it: a folder with <c>adapter_config.json</c>, and the matrices in <c>adapter_model.safetensors</c> or
/// <c>adapter_model.bin</c> by names such as <c>base_model.model.transformer.h.0.attn.c_attn.lora_A.weight</c>.
/// </summary>
internal sealed class AdapterFile
{
    /// <summary>The name of the matrices' file.</summary>
    public const string FileName = "adapter_model.safetensors";

    private const string TorchFileName = "adapter_model.bin";
    private const string Scope = "base_model.model.";
    private const string Body = "transformer.";
    private const string EndOfA = ".lora_A.weight", EndOfB = ".lora_B.weight";
    private const string FirstMoment = ".adam", SecondMoment = ".adam_1";

    private AdapterFile(string path, AdapterConfig config, Dictionary<string, AdapterMatrices> matrices, string? baseDigest)
    {
        (Path, Config, Matrices, BaseDigest) = (path, config, matrices, baseDigest);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(config.Scale));
        foreach ((string name, AdapterMatrices pair) in matrices.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            hash.AppendData(MemoryMarshal.AsBytes(name.AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(pair.A.AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(pair.B.AsSpan()));
        }

        Digest = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The full path of the matrices' file.</summary>
    public string Path { get; }

    public AdapterConfig Config { get; }

    /// <summary>The matrices by the weights that they belong to.</summary>
    public IReadOnlyDictionary<string, AdapterMatrices> Matrices { get; }

    /// <summary>SHA-256 of all that it changes.</summary>
    public string Digest { get; }

    /// <summary>What tells the model that it was trained on, see <see cref="BaseModelDigest"/>; <see langword="null"/> where nothing does.</summary>
    public string? BaseDigest { get; }

    /// <summary>Whether a folder holds an adapter.</summary>
    public static bool IsIn(string folder) => ReadableFile.IsThere(System.IO.Path.Combine(folder, AdapterConfig.FileName));

    /// <summary>Whether a file is called as an adapter's matrices are.</summary>
    public static bool IsNamed(string path) => System.IO.Path.GetFileName(path) is FileName or TorchFileName;

    /// <summary>Reads an adapter of a model of some shape.</summary>
    /// <param name="path">The full path of its folder, or of a file in it.</param>
    /// <param name="h">The shape of the model.</param>
    /// <param name="model">What the model is called.</param>
    /// <exception cref="Gpt2Exception">It is not there, damaged, of what is not read, or of another model.</exception>
    public static AdapterFile Read(string path, Gpt2HyperParameters h, string model)
    {
        string folder = File.Exists(path) ? System.IO.Path.GetDirectoryName(path)! : path;
        if (!Directory.Exists(folder)) throw new Gpt2Exception(Gpt2Error.FileNotFound, $"The folder '{folder}' does not exist.", folder);
        if (!IsIn(folder))
        {
            throw new Gpt2Exception(
                Gpt2Error.FileNotFound, $"'{folder}' holds no adapter: it has no {AdapterConfig.FileName}, as training with a rank and PEFT write it.", folder);
        }

        var config = AdapterConfig.Load(System.IO.Path.Combine(folder, AdapterConfig.FileName));
        string safetensors = System.IO.Path.Combine(folder, FileName), torch = System.IO.Path.Combine(folder, TorchFileName);
        string file = ReadableFile.IsThere(safetensors) || !ReadableFile.IsThere(torch) ? safetensors : torch;
        using ITensorSource source = file == torch ? new TorchFormat().Open(torch) : new SafetensorsFormat().Open(safetensors);
        Dictionary<string, AdapterMatrices> matrices = Take(source, config, h, model);
        return new AdapterFile(file, config, matrices, file == torch ? null : BaseDigestOf(file));
    }

    /// <summary>What tells the model that the adapter of a file was trained on.</summary>
    /// <exception cref="Gpt2Exception">The file cannot be read.</exception>
    public static string? BaseDigestOf(string path) => SafetensorsFile.ReadMetadata(path).GetValueOrDefault(BaseModelDigest.Key);

    /// <summary>Writes an adapter's matrices.</summary>
    /// <param name="path">The full path of the file.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="baseDigest">What tells the model that it was trained on.</param>
    /// <param name="moments">Both moments of its gradient, which go with it by names of their own.</param>
    public static void Write(string path, LowRankAdapter adapter, string? baseDigest, (LowRankAdapter First, LowRankAdapter Second)? moments = null)
    {
        (string Name, TensorShape Shape, float[] Values)[] tensors =
        [
            .. TensorsOf(adapter, ""),
            .. moments is { } both ? TensorsOf(both.First, FirstMoment).Concat(TensorsOf(both.Second, SecondMoment)) : [],
        ];
        Dictionary<string, string> metadata = baseDigest is null ? [] : new() { [BaseModelDigest.Key] = baseDigest };
        using var writer = new SafetensorsWriter(path, [.. tensors.Select(t => new TensorDescription(t.Name, TensorDType.Float32, t.Shape))], metadata: metadata);
        foreach ((string name, TensorShape shape, float[] values) in tensors) writer.Add(name, TensorDType.Float32, shape, MemoryMarshal.AsBytes(values.AsSpan()));
        writer.Finish();
    }

    /// <summary>The ends of the names that PEFT is to adapt, such as <c>attn.c_attn</c>; whole names where not every layer has one of them.</summary>
    public static IReadOnlyList<string> TargetsOf(LowRankAdapter adapter, int layers)
    {
        string[] modules = [.. adapter.Pairs.Select(pair => ModuleOf(pair.Leaf))];
        (string End, int Count)[] ends = [.. modules.GroupBy(EndOf).Select(group => (group.Key, group.Count()))];
        return Array.TrueForAll(ends, end => end.Count == layers) ? [.. ends.Select(end => end.End)] : modules;

        static string EndOf(string module) => string.Join('.', module.Split('.')[^2..]);
    }

    /// <summary>Reads what <see cref="Write"/> wrote with the moments.</summary>
    /// <exception cref="Gpt2Exception">It is not of an adapter of this shape, or damaged.</exception>
    public static void ReadInto(string path, LowRankAdapter adapter, LowRankAdapter first, LowRankAdapter second)
    {
        using ITensorSource source = new SafetensorsFormat().Open(path);
        Dictionary<string, StoredTensor> tensors = source.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        foreach ((LowRankAdapter target, string end) in ((LowRankAdapter, string)[])[(adapter, ""), (first, FirstMoment), (second, SecondMoment)])
        {
            foreach ((Gpt2Leaf leaf, LowRankPair pair) in target.Pairs)
            {
                string name = Scope + Body + ModuleOf(leaf);
                FloatsOf(Tensor(name + EndOfA + end, target.Rank, leaf.Shape[0])).CopyTo(pair.A.Values);
                Transposed(FloatsOf(Tensor(name + EndOfB + end, leaf.Shape[1], target.Rank)), leaf.Shape[1], target.Rank).CopyTo(pair.B.Values);
            }
        }

        StoredTensor Tensor(string name, long rows, long columns) =>
            tensors.TryGetValue(name, out StoredTensor? tensor) && tensor.DType == TensorDType.Float32 && tensor.Shape.Dimensions.SequenceEqual([rows, columns])
                ? tensor
                : throw new Gpt2Exception(
                    Gpt2Error.TensorNotFound, $"'{path}' has no float32 tensor '{name}' [{rows}, {columns}], without which its training cannot continue.", path);
    }

    private static IEnumerable<(string Name, TensorShape Shape, float[] Values)> TensorsOf(LowRankAdapter adapter, string end)
    {
        foreach ((Gpt2Leaf leaf, LowRankPair pair) in adapter.Pairs)
        {
            string name = Scope + Body + ModuleOf(leaf);
            yield return (name + EndOfA + end, new TensorShape(adapter.Rank, leaf.Shape[0]), pair.A.Values.ToArray());
            yield return (name + EndOfB + end, new TensorShape(leaf.Shape[1], adapter.Rank), Transposed(pair.B.Values, adapter.Rank, leaf.Shape[1]));
        }
    }

    private static Dictionary<string, AdapterMatrices> Take(ITensorSource source, AdapterConfig config, Gpt2HyperParameters h, string model)
    {
        Dictionary<string, StoredTensor> tensors = new(StringComparer.Ordinal);
        foreach (StoredTensor tensor in source.Tensors)
        {
            if (!tensors.TryAdd(Bare(tensor.Name), tensor)) throw Refused($"has '{tensors[Bare(tensor.Name)].Name}' and '{tensor.Name}', of which only one can be meant");
        }

        Dictionary<string, AdapterMatrices> matrices = [];
        foreach (Gpt2Leaf leaf in Gpt2Architecture.Leaves(h).Where(leaf => leaf.Kind == Gpt2LeafKind.Projection))
        {
            string module = ModuleOf(leaf);
            if (!tensors.Remove(module + EndOfA, out StoredTensor? a) | !tensors.Remove(module + EndOfB, out StoredTensor? b))
            {
                if ((a ?? b) is { } alone) throw Refused($"has '{alone.Name}' without the other matrix of the pair");
                continue;
            }

            (int nIn, int nOut) = (leaf.Shape[0], leaf.Shape[1]);
            Require(a!, config.Rank, nIn);
            Require(b!, nOut, config.Rank);
            matrices[leaf.Name] = new AdapterMatrices(FloatsOf(a!), Transposed(FloatsOf(b!), nOut, config.Rank));
        }

        if (tensors.Count > 0) throw Refused($"has {Excerpt.Quoted(tensors.Values.Select(tensor => tensor.Name).Order(StringComparer.Ordinal), max: 3)}, which {model} has no place for");
        return matrices.Count > 0 ? matrices : throw Refused("has no low-rank matrix");

        void Require(StoredTensor tensor, long rows, long columns)
        {
            if (!tensor.DType.IsFloat()) throw Refused($"has '{tensor.Name}' of type {tensor.DType.DisplayName()}");
            if (!tensor.Shape.Dimensions.SequenceEqual([rows, columns]))
                throw Refused($"has '{tensor.Name}' {tensor.Shape}, where {model} and the rank {config.Rank} of {AdapterConfig.FileName} need [{rows}, {columns}]");
        }

        Gpt2Exception Refused(string why) => new(
            Gpt2Error.WrongArchitecture, $"The adapter '{source.Location}' {why}; {(config.BaseModel is { Length: > 0 } name ? $"it was trained on '{name}'" : "give the model that it was trained on")}.", source.Location);
    }

    // What PEFT calls a projection, without what stands before all of them.
    private static string ModuleOf(Gpt2Leaf leaf) => WeightNaming.HuggingFace.Of(leaf.Name)[Body.Length..^".weight".Length];

    // Of a GPT2Model the names have no "transformer."; adapters that were saved as they train have the adapter's name, "default".
    private static string Bare(string name)
    {
        string bare = name.StartsWith(Scope, StringComparison.Ordinal) ? name[Scope.Length..] : name;
        bare = bare.StartsWith(Body, StringComparison.Ordinal) ? bare[Body.Length..] : bare;
        return bare.Replace(".default.weight", ".weight", StringComparison.Ordinal);
    }

    private static float[] FloatsOf(StoredTensor tensor)
    {
        tensor.Verify();
        using var values = new HeldMemory<float>(tensor.GetFloats());
        return values.IfUnchanged(values.Span.ToArray());
    }

    // [rows, columns] -> [columns, rows]
    private static unsafe float[] Transposed(ReadOnlySpan<float> x, int rows, int columns)
    {
        float[] y = new float[x.Length];
        fixed (float* from = x, to = y) Transposition.Copy(from, columns, rows, columns, to, rows);
        return y;
    }
}
