using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Numpy;

/// <summary>Reads npz files: ZIP archives of npy files, as NumPy's <c>savez</c> and <c>savez_compressed</c> write them.</summary>
internal static class Npz
{
    public const string Extension = ".npz";

    /// <summary>What the names of an archive's arrays end in.</summary>
    public const string EntryExtension = ".npy";

    private const int UsualHeaderLength = 512;
    private const long MinBudget = 1024 * 1024;
    private const int MaxHeaderLength = (1 << 16) + 16;

    /// <summary>Lists the tensors of one mapped file.</summary>
    /// <exception cref="Gpt2Exception">It is damaged or of another format, or an array in it is of a kind that is not read.</exception>
    public static IEnumerable<StoredTensor> ListTensors(ShardMappings files, int number, CancellationToken cancellationToken)
    {
        MappedFile file = files.Open(number);
        try
        {
            long budget = Math.Max(file.Length, MinBudget);
            List<StoredTensor> tensors = [];
            foreach (ZipEntry entry in Zip.ReadDirectory(file, cancellationToken).Where(entry => entry.Name.EndsWith(EntryExtension, StringComparison.Ordinal)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                tensors.Add(Tensor(files, file, entry, ref budget));
            }

            return tensors.Count > 0 ? tensors : throw new InvalidDataException($"there is no array in it, a file whose name ends in '{EntryExtension}'");
        }
        catch (NotSupportedException fault)
        {
            throw new Gpt2Exception(Gpt2Error.Unsupported, $"'{file.Path}' is not read: {fault.Message}.", file.Path, fault);
        }
        catch (InvalidDataException fault)
        {
            ForeignWeights.ThrowIfForeign(file.Path);
            throw new Gpt2Exception(
                Gpt2Error.NotAFormat, $"'{file.Path}' is not an npz file that can be read: {fault.Message}; write, copy or download it again.", file.Path, fault);
        }
    }

    private static StoredTensor Tensor(ShardMappings files, MappedFile file, ZipEntry entry, ref long budget)
    {
        string name = entry.Name[..^EntryExtension.Length];
        try
        {
            (TensorDType dtype, TensorShape shape, bool isFortranOrder, int headerLength) = NpyHeader.Parse(Start(file, entry, ref budget));
            if (isFortranOrder && shape.Rank > 1)
                throw new NotSupportedException($"its array '{name}' is in Fortran order; save it as numpy.ascontiguousarray(x)");
            if ((Int128)shape.ElementCount * dtype.ElementSize()!.Value != entry.Size - headerLength)
                throw new InvalidDataException($"has {entry.Size - headerLength} bytes for {shape} of {dtype.DisplayName()}");
            return entry.IsDeflated
                ? new DeflatedTensor(files, entry, headerLength, name, dtype, shape)
                : new MappedTensor(files, 0, entry.DataOffset + headerLength, name, dtype, shape, entry.Checksum);
        }
        catch (InvalidDataException fault)
        {
            throw new InvalidDataException($"its array '{name}' {fault.Message}", fault);
        }
    }

    // A header has some hundred bytes. All that is decompressed for headers together is no more than the file's own length.
    private static unsafe ReadOnlySpan<byte> Start(MappedFile file, ZipEntry entry, ref long budget)
    {
        int length = (int)Math.Min(entry.Size, MaxHeaderLength);
        if (!entry.IsDeflated) return new ReadOnlySpan<byte>(file.Address(entry.DataOffset, length), length);
        byte[] start = Inflate(file, entry, Math.Min(length, UsualHeaderLength), ref budget);
        return start.Length == length || NpyHeader.LengthOf(start) <= start.Length ? start : Inflate(file, entry, length, ref budget);
    }

    private static byte[] Inflate(MappedFile file, ZipEntry entry, int length, ref long budget)
    {
        budget -= length;
        return budget >= 0
            ? Zip.Inflate(file, entry, length)
            : throw new InvalidDataException("is one of so many that their headers would take more room than the whole file");
    }
}
