using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>
/// The matrices of a model in a reduced precision. They are converted once, into a checkpoint of their own beside the model's, and
/// mapped from then on; small ones, and those of a folder that cannot be written, are converted into memory. The embedding wte is held
/// transposed, [n_embd, n_vocab], as the logits walk it.
/// </summary>
internal sealed unsafe class PackedWeights : IDisposable
{
    // Increased whenever the bytes of a format change, or what is converted: of 2, weights that were not numbers had become some; of 3, halves
    // did not lie in pairs; of 4, holes were not told; of 5, fewer bits than 8 lay in words.
    private const int Layout = 6;

    private const string SourceTensor = "source";

    /// <summary>The names of the weights that a hole in the model's file took something of, where there are any; to be warned of each time they are used.</summary>
    private const string HolesTensor = "holes";

    /// <summary>Below that, converting is as fast as finding and verifying a file.</summary>
    public const long SmallestFile = 64L * 1024 * 1024;

    private const int Alignment = 64;

    private readonly TensorBundle? _bundle;
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _bytes = new(StringComparer.Ordinal);

    private readonly Gpt2Precision _precision;

    private PackedWeights(Gpt2Precision precision, TensorBundle? bundle) => (_precision, _bundle) = (precision, bundle);

    /// <summary>Why there is no file of them though they are large, in sentences; <see langword="null"/> otherwise.</summary>
    public string? Unkept { get; private set; }

    /// <summary>The bytes of a matrix; they lie at a multiple of a cache line.</summary>
    public ReadOnlyMemory<byte> this[Gpt2Weight weight] => _bytes[weight.Name];

    /// <summary>The matrices that are held packed; of a model's other weights there is little.</summary>
    public static IEnumerable<Gpt2Weight> MatricesOf(Gpt2Parameters parameters) => parameters.Where(weight => weight.Leaf.IsMatrix);

    /// <summary>A matrix over its bytes, which the caller has pinned.</summary>
    public PackedMatrix MatrixOf(Gpt2Weight weight, byte* data) => MatrixOf(weight, _precision, data);

    /// <summary>Opens what was converted before, or converts.</summary>
    /// <param name="parameters">The weights.</param>
    /// <param name="folder">The model's folder.</param>
    /// <param name="precision">The precision, less than float32.</param>
    /// <param name="progress">Told the share that is converted, from 0 to 1.</param>
    /// <param name="smallestFile">The least bytes that are worth a file.</param>
    /// <param name="cancellationToken">Ends the conversion; nothing is left of it.</param>
    /// <exception cref="Gpt2Exception">The model's weights are not as they should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static PackedWeights Open(
        Gpt2Parameters parameters,
        string folder,
        Gpt2Precision precision,
        IProgress<double>? progress = null,
        long smallestFile = SmallestFile,
        CancellationToken cancellationToken = default)
    {
        if (SizeOf(parameters, precision) < smallestFile) return ConvertInMemory(parameters, precision, progress, cancellationToken);
        string prefix = PrefixOf(folder, precision);
        byte[] source = SourceOf(parameters, cancellationToken);
        if (TryOpen(parameters, precision, prefix, source, cancellationToken) is { } converted) return converted;
        try
        {
            ConvertToFile(parameters, precision, prefix, source, progress, cancellationToken);
        }
        catch (Exception fault) when (UnwritableFile.IsFaultOrRefusal(fault))
        {
            PackedWeights weights = ConvertInMemory(parameters, precision, progress, cancellationToken);
            weights.Unkept = UnkeptBecause(fault, folder, precision);
            return weights;
        }

        return TryOpen(parameters, precision, prefix, source, cancellationToken) ?? ConvertInMemory(parameters, precision, progress, cancellationToken);
    }

    // Whoever waits for the conversion, each time, or whose memory it takes, wants to know why.
    private static string UnkeptBecause(Exception fault, string folder, Gpt2Precision precision)
    {
        string converted = ConvertedIn(folder);
        string reason = fault is Gpt2Exception ? fault.Message.TrimEnd('.') : UnwritableFile.ReasonOf(converted, fault);
        return $"The weights in {precision} cannot be kept in '{converted}': {reason}. They are in memory, and will be converted anew when the model is opened again.";
    }

    /// <summary>Whether there is a file of a conversion, right or wrong.</summary>
    public static bool HasFile(string folder, Gpt2Precision precision) => folder.Length > 0 && File.Exists(BundlePath.IndexFile(PrefixOf(folder, precision)));

    /// <summary>Whether a conversion is kept in a file: where it is worth one, and it can be written.</summary>
    public static bool CanKeep(Gpt2Parameters parameters, string folder, Gpt2Precision precision)
    {
        if (SizeOf(parameters, precision) < SmallestFile) return false;
        try
        {
            UnwritableFile.ThrowIfUnwritable(ConvertedIn(folder));
            return true;
        }
        catch (Gpt2Exception)
        {
            return false;
        }
    }

    public void ThrowIfChanged() => _bundle?.ThrowIfChanged();

    public void Dispose() => _bundle?.Dispose();

    /// <summary>The bytes of a matrix in a precision.</summary>
    public static long SizeOf(Gpt2Leaf leaf, Gpt2Precision precision) => PackedMatrix.SizeOf(FormatOf(leaf, precision), leaf.Walk.Rows, leaf.Walk.Columns);

    private static string PrefixOf(string folder, Gpt2Precision precision) =>
        Path.Combine(ConvertedIn(folder), precision.ToString().ToLowerInvariant());

    private static string ConvertedIn(string folder) => Path.Combine(folder, ConvertedFolder.Name);

    private static long SizeOf(Gpt2Parameters parameters, Gpt2Precision precision) => MatricesOf(parameters).Sum(weight => SizeOf(weight.Leaf, precision));

    private static PackedMatrix MatrixOf(Gpt2Weight weight, Gpt2Precision precision, byte* data) =>
        new(data, FormatOf(weight.Leaf, precision), weight.Leaf.Walk.Rows, weight.Leaf.Walk.Columns);

    private static PackedFormat FormatOf(Gpt2Leaf leaf, Gpt2Precision precision) =>
        PackedFormat.Of(precision, leaf.Kind == Gpt2LeafKind.TokenEmbedding);

    private static int ArraySizeOf(Gpt2Weight weight, Gpt2Precision precision)
    {
        long size = SizeOf(weight.Leaf, precision);
        return size <= Array.MaxLength - Alignment ? (int)size : throw new Gpt2Exception(
            Gpt2Error.Unsupported, FormattableString.Invariant($"The weight '{weight.Name}' takes {size:N0} bytes in {precision}, more than 2 GiB; run the model in Float32."));
    }

    // What the conversion depends on: the source's checksums above all.
    private static byte[] SourceOf(Gpt2Parameters parameters, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"layout {Layout}\n");
        foreach (Gpt2Weight weight in MatricesOf(parameters)) text.Append(weight.GetFingerprint(cancellationToken)).Append('\n');
        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
    }

    // null where there is none, where it is of other weights, or where it is damaged: it is made again then
    private static PackedWeights? TryOpen(
        Gpt2Parameters parameters, Gpt2Precision precision, string prefix, byte[] source, CancellationToken cancellationToken)
    {
        if (!File.Exists(BundlePath.IndexFile(prefix))) return null;
        PackedWeights? weights = null;
        try
        {
            weights = new PackedWeights(precision, TensorBundle.OpenExactly(prefix, shardSuffix: "", cancellationToken));
            if (weights.Load(parameters, source, cancellationToken)) return weights;
        }
        catch (Gpt2Exception)
        {
        }
        catch (OperationCanceledException)
        {
            weights?.Dispose();
            throw;
        }

        weights?.Dispose();
        return null;
    }

    private bool Load(Gpt2Parameters parameters, byte[] source, CancellationToken cancellationToken)
    {
        if (!_bundle!.TryGetEntry(SourceTensor, out TensorEntry? key) || !HasBytes(key, source)) return false;
        Gpt2Weight[] matrices = [.. MatricesOf(parameters)];
        TensorEntry[] entries = [.. matrices.Select(weight => _bundle.GetEntry(weight.Name))];
        foreach ((Gpt2Weight weight, TensorEntry entry) in matrices.Zip(entries))
        {
            if (entry.Size != SizeOf(weight.Leaf, _precision)) return false;
            _bytes.Add(weight.Name, _bundle.GetBytes(entry));
        }

        if (!entries.AsParallel().WithCancellation(cancellationToken).All(entry => IsIntact(entry, cancellationToken))) return false;
        string[] holes = ReadHoles();
        foreach (Gpt2Weight weight in matrices.ExceptBy(holes, weight => weight.Name)) weight.SetWhole(); // the values are those that were looked through
        return true;
    }

    private string[] ReadHoles()
    {
        if (!_bundle!.TryGetEntry(HolesTensor, out TensorEntry? entry)) return [];
        using var names = new HeldMemory<byte>(_bundle.GetBytes(entry));
        return names.IfUnchanged(Encoding.UTF8.GetString(names.Span)).Split('\n');
    }

    private bool HasBytes(TensorEntry entry, ReadOnlySpan<byte> expected)
    {
        using var bytes = new HeldMemory<byte>(_bundle!.GetBytes(entry));
        return bytes.IfUnchanged(bytes.Span.SequenceEqual(expected));
    }

    private bool IsIntact(TensorEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            _bundle!.Verify(entry, cancellationToken);
            return true;
        }
        catch (Gpt2Exception)
        {
            return false;
        }
    }

    private static void ConvertToFile(
        Gpt2Parameters parameters, Gpt2Precision precision, string prefix, byte[] source, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        using var writer = new TensorBundleWriter(prefix, new TensorBundleWriterOptions { WriteCheckpointFile = false });
        byte[] buffer = [];
        Convert(parameters, precision, Take, Write, progress, cancellationToken);
        writer.Add(SourceTensor, TensorDType.UInt8, new TensorShape(source.Length), source);
        byte[] holes = Encoding.UTF8.GetBytes(string.Join('\n', MatricesOf(parameters).Where(weight => weight.Hole is not null).Select(weight => weight.Name)));
        if (holes.Length > 0) writer.Add(HolesTensor, TensorDType.UInt8, new TensorShape(holes.Length), holes);
        writer.Finish();

        // Every matrix is a multiple of a cache line, so all of them lie at one in the file.
        Memory<byte> Take(int size)
        {
            if (buffer.Length < size) buffer = GC.AllocateUninitializedArray<byte>(size, pinned: true);
            return buffer.AsMemory(0, size);
        }

        void Write(Gpt2Weight weight, Memory<byte> bytes) => writer.Add(weight.Name, TensorDType.UInt8, new TensorShape(bytes.Length), bytes.Span);
    }

    private static PackedWeights ConvertInMemory(
        Gpt2Parameters parameters, Gpt2Precision precision, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var weights = new PackedWeights(precision, null);
        Convert(parameters, precision, Take, (weight, bytes) => weights._bytes.Add(weight.Name, bytes), progress, cancellationToken);
        return weights;

        static Memory<byte> Take(int size)
        {
            byte[] bytes = GC.AllocateUninitializedArray<byte>(size + Alignment, pinned: true);
            fixed (byte* start = bytes) return bytes.AsMemory((int)(Alignment - ((nuint)start % Alignment)), size);
        }
    }

    private static void Convert(
        Gpt2Parameters parameters,
        Gpt2Precision precision,
        Func<int, Memory<byte>> take,
        Action<Gpt2Weight, Memory<byte>> write,
        IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        Gpt2Weight[] matrices = [.. MatricesOf(parameters)];
        long done = 0, total = matrices.Sum(weight => weight.Count);
        foreach (Gpt2Weight weight in matrices)
        {
            Memory<byte> bytes = take(ArraySizeOf(weight, precision));
            Pack(weight, precision, bytes, cancellationToken);
            write(weight, bytes);
            done += weight.Count;
            progress?.Report((double)done / total);
        }
    }

    private static void Pack(Gpt2Weight weight, Gpt2Precision precision, Memory<byte> bytes, CancellationToken cancellationToken)
    {
        using var source = new HeldMemory<float>(weight.ReadOnce());
        if (source.IfUnchanged(ReducedRange.FaultOf(weight.Name, source.Span, precision)) is { } fault) throw fault;
        using System.Buffers.MemoryHandle target = bytes.Pin();
        PackedMatrix matrix = MatrixOf(weight, precision, (byte*)target.Pointer);
        nint from = (nint)source.Start;
        bool isTransposed = weight.Leaf.Kind == Gpt2LeafKind.TokenEmbedding;
        nint rowStride = isTransposed ? 1 : matrix.Columns, columnStride = isTransposed ? matrix.Rows : 1;
        var options = new ParallelOptions { CancellationToken = cancellationToken };
        Parallel.For(0, matrix.Panels, options, panel => matrix.PackPanel(panel, (float*)from, rowStride, columnStride));
        source.ThrowIfChanged();
    }
}
