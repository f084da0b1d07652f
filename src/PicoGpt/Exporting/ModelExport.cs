using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Weights;

namespace PicoGpt.Exporting;

/// <summary>
/// Writes a model's weights in a format, with what belongs to them, so that the folder is a model again. The weights are the
/// checkpoint's own, whatever precision the model runs in, and go from file to file one tensor after another. Half precision is kept
/// where the format has it and widened, which is exact, where not.
/// </summary>
public sealed class ModelExport
{
    private readonly Gpt2Model _model;
    private readonly WritableFormat _format;
    private readonly (Gpt2Weight Weight, TensorDescription Written)[] _weights;
    private readonly ModelFacts? _facts;
    private readonly string _weightsPath;
    private readonly (string Path, byte[] Content)[] _companions = [];

    private ModelExport(Gpt2Model model, string path, WritableFormat format, Func<Gpt2Weight, bool> includes, Gpt2Precision? precision)
    {
        _model = model;
        _format = format;
        _weights = [.. model.Parameters.Where(includes).Select(weight => (weight, DescriptionOf(weight, precision)))
            .OrderBy(pair => pair.Item2, Comparer<TensorDescription>.Create(format.Compare))];
        Folder = path.EndsWith(format.Extension, StringComparison.OrdinalIgnoreCase) ? Path.GetDirectoryName(path)! : path;
        _weightsPath = Folder == path ? Path.Combine(path, format.WeightsName) : path;
        if (_weights.Length < model.Parameters.Count) return;
        TensorDType[] types = [.. _weights.Select(pair => pair.Written.DType).Distinct()];
        _facts = new ModelFacts(model.Name, model.HyperParameters, model.HasVocabulary ? model.Encoder : null, types);
        if (model.HasVocabulary) _facts = _facts with { SpecialIds = model.SpecialIds };
        _companions = [.. format.Companions(_facts).Select(file => (Path.Combine(Folder, file.Name), file.Content))];
    }

    /// <summary>The names of the formats in which weights are written.</summary>
    public static IReadOnlyList<string> Formats { get; } = [.. CheckpointFormats.Writable.Select(format => format.Name)];

    /// <summary>The format that the ending of a weights' file tells.</summary>
    /// <param name="path">The path.</param>
    /// <returns>One of <see cref="Formats"/>; <see langword="null"/> where it tells none.</returns>
    public static string? FormatOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return CheckpointFormats.Writable.FirstOrDefault(format => path.EndsWith(format.Extension, StringComparison.OrdinalIgnoreCase))?.Name;
    }

    /// <summary>The folder that is written to.</summary>
    public string Folder { get; }

    /// <summary>The full paths of the files.</summary>
    public IReadOnlyList<string> Files => [.. _format.FilesOf(_weightsPath), .. _companions.Select(companion => companion.Path)];

    /// <summary>The number of weights.</summary>
    public int Count => _weights.Length;

    /// <summary>The bytes of the weights.</summary>
    public long Size => _weights.Sum(pair => pair.Written.Size);

    /// <summary>Plans an export; nothing is written yet.</summary>
    /// <param name="model">The model; open until the export is done.</param>
    /// <param name="path">
    /// The full path of a folder, which is made where it is missing, or of the weights' file in one: <c>.npz</c>, <c>.safetensors</c>, or the
    /// <c>.ckpt</c> that the names of a TensorFlow checkpoint begin with.
    /// </param>
    /// <param name="format">The format's name, one of <see cref="Formats"/>, in any case.</param>
    /// <param name="includes">
    /// Whether a weight is wanted; <see langword="null"/> for all. Of a part, the weights alone are written: it is not a model.
    /// </param>
    /// <param name="precision">
    /// The type in which the weights are written; <see langword="null"/> for their own, as far as the format has it.
    /// </param>
    /// <returns>The export.</returns>
    /// <exception cref="Gpt2Exception">
    /// There is no such format, the path ends as another's, it does not have the precision, no weight is wanted, or a file of the vocabulary cannot be read.
    /// </exception>
    public static ModelExport Plan(
        Gpt2Model model, string path, string format, Func<Gpt2Weight, bool>? includes = null, Gpt2Precision? precision = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        WritableFormat writable = CheckpointFormats.ToWrite(format);
        if (precision is { } wanted && !writable.Precisions.Contains(wanted))
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"Weights are not written in {wanted} as {writable.Name}, but in {string.Join(", ", writable.Precisions)}.");
        }

        if (FormatOf(path) is { } ending && ending != writable.Name && !Directory.Exists(path))
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"'{path}' ends as a file of {ending} does, and {writable.Name} is to be written; give a path that ends in {writable.Extension}, or a folder.", path);
        }

        OutputFile.ThrowIfDevice(path); // as it was given: Windows makes a device's path of it, which has no ending
        var export = new ModelExport(model, Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), writable, includes ?? (_ => true), precision);
        return export.Count > 0
            ? export
            : throw new Gpt2Exception(Gpt2Error.TensorNotFound, $"{model.Name} has no weight of that name; its names are like 'wte' and 'h0/attn/c_attn/w'.");
    }

    /// <summary>Writes the files. They get their names when all are whole; before that, or where it fails, nothing of them is there.</summary>
    /// <param name="overwrite">Whether existing files are replaced.</param>
    /// <param name="progress">Told the bytes that are written, of <see cref="Size"/>.</param>
    /// <param name="cancellationToken">Ends it; nothing is left of it.</param>
    /// <exception cref="Gpt2Exception">
    /// A file already exists, is one of the model's own, or cannot be written, the model's weights are damaged, or one has values for
    /// which there is no place in the type in which it is to be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Run(bool overwrite = false, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        _model.ThrowIfDisposed();
        ThrowIfOwnFiles();
        ThrowIfThere(overwrite);
        using var folders = new NewPaths(Folder);
        try
        {
            Directory.CreateDirectory(Folder);
            Write(new WriteMeter(progress, cancellationToken));
            folders.Keep();
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            _model.ThrowIfChanged(); // the system refuses to write from a page whose file has it no longer
            throw Unwritable(fault);
        }
    }

    private void Write(WriteMeter meter)
    {
        using var companions = new OutputFiles();
        using ITensorWriter writer = _format.Create(_weightsPath, [.. _weights.Select(pair => pair.Written)], _facts, meter);
        foreach ((string path, byte[] content) in _companions) companions.AddUnlessThere(path, content);
        foreach ((Gpt2Weight weight, TensorDescription written) in _weights) Copy(weight, written, writer, meter.CancellationToken);
        writer.Complete();
        _model.ThrowIfChanged(); // after the last byte was read, and before anything has a name
        companions.Publish(writer.Files);
    }

    private void Copy(Gpt2Weight weight, TensorDescription written, ITensorWriter writer, CancellationToken cancellationToken)
    {
        (string name, TensorDType dtype, TensorShape shape) = written;
        StoredTensor tensor = _format.Naming.IsTransposed(weight.Name) ? TransposedTensor.Of(weight.Stored) : weight.Stored;
        weight.Verify(cancellationToken);
        if (tensor.Quantization is null && tensor.DType == dtype && dtype != TensorDType.Float32)
        {
            using var bytes = new HeldMemory<byte>(tensor.GetBytes());
            writer.Add(name, dtype, shape, bytes.Span);
            bytes.ThrowIfChanged();
        }
        else
        {
            using var values = new HeldMemory<float>(tensor.GetFloats());
            if (values.IfUnchanged(ReducedRange.FaultOf(weight.Name, values.Span, written)) is { } fault) throw fault;
            writer.Add(name, dtype, shape, dtype == TensorDType.Float32 ? MemoryMarshal.AsBytes(values.Span) : TensorConversion.FromFloats(dtype, values.Span));
            values.ThrowIfChanged();
        }
    }

    private TensorDescription DescriptionOf(Gpt2Weight weight, Gpt2Precision? precision) =>
        _format.Describe(weight.Name, weight.DType, TensorShape.Of(weight.Shape), precision);

    private void ThrowIfOwnFiles()
    {
        string? own = _format.FilesOf(_weightsPath).Prepend(_weightsPath).FirstOrDefault(_model.IsReadFrom);
        if (own is not null)
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"'{own}' belongs to the model itself that is to be written; give another path.", own);
    }

    // A vocabulary or a shape that exists and is the same stays as it is.
    private void ThrowIfThere(bool overwrite)
    {
        if (Files.FirstOrDefault(Directory.Exists) is { } folder)
            throw new Gpt2Exception(Gpt2Error.Unwritable, $"'{folder}' is a folder, where a file is to be written; give another path.", folder);
        if (overwrite) return;
        string? there = _format.FilesOf(_weightsPath).FirstOrDefault(Path.Exists)
            ?? Array.Find(_companions, companion => Path.Exists(companion.Path) && !OutputFiles.IsThere(companion.Path, companion.Content)).Path;
        if (there is not null) throw UnwritableFile.Exists(there);
    }

    private Gpt2Exception Unwritable(Exception fault) => UnwritableFile.IsFull(fault)
        ? new Gpt2Exception(Gpt2Error.DiskFull, FormattableString.Invariant($"The disk became full while {Size:N0} bytes were written to '{Folder}'; make room and try again."), Folder, fault)
        : new Gpt2Exception(UnwritableFile.IsInUse(fault) ? Gpt2Error.InUse : Gpt2Error.Unwritable, $"The model cannot be written to '{Folder}': {UnwritableFile.ReasonOf(Folder, fault)}.", Folder, fault);
}
