using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Numpy;

/// <summary>Reads npz files: ZIP archives of npy files, as NumPy's <c>savez</c> and <c>savez_compressed</c> write them.</summary>
internal static class Npz
{
    public const string Extension = ".npz";

    /// <summary>What the names of an archive's arrays end in.</summary>
    public const string EntryExtension = ".npy";

    private const int MaxHeaderLength = (1 << 16) + 16;

    /// <summary>Lists the tensors of one mapped file.</summary>
    /// <exception cref="Gpt2Exception">It is damaged or of another format, or an array in it is of a kind that is not read.</exception>
    public static IEnumerable<StoredTensor> ListTensors(ShardMappings files, int number)
    {
        MappedFile file = files.Open(number);
        try
        {
            StoredTensor[] tensors =
                [.. Zip.ReadDirectory(file).Where(entry => entry.Name.EndsWith(EntryExtension, StringComparison.Ordinal)).Select(entry => Tensor(files, file, entry))];
            return tensors.Length > 0 ? tensors : throw new InvalidDataException($"there is no array in it, a file whose name ends in '{EntryExtension}'");
        }
        catch (InvalidDataException fault)
        {
            ForeignWeights.ThrowIfForeign(file.Path);
            throw new Gpt2Exception(
                Gpt2Error.NotAFormat, $"'{file.Path}' is not an npz file that can be read: {fault.Message}; write, copy or download it again.", file.Path, fault);
        }
    }

    private static StoredTensor Tensor(ShardMappings files, MappedFile file, ZipEntry entry)
    {
        string name = entry.Name[..^EntryExtension.Length];
        try
        {
            (TensorDType dtype, TensorShape shape, bool isFortranOrder, int headerLength) = NpyHeader.Parse(Start(file, entry));
            if (isFortranOrder && shape.Rank > 1)
                throw new InvalidDataException("is in Fortran order; save it as numpy.ascontiguousarray(x)");
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

    private static unsafe ReadOnlySpan<byte> Start(MappedFile file, ZipEntry entry)
    {
        int length = (int)Math.Min(entry.Size, MaxHeaderLength);
        return entry.IsDeflated ? Zip.Inflate(file, entry, length) : new ReadOnlySpan<byte>(file.Address(entry.DataOffset, length), length);
    }
}
