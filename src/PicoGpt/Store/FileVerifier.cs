using PicoGpt.Architecture;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>Tells whether a file is what it is to be called, under whatever name it lies for now.</summary>
internal static class FileVerifier
{
    private const int InspectedLength = 512;

    /// <summary>Compares a file with all that is known of it.</summary>
    /// <param name="path">The path that the file has or is to have; the checkpoint's index lies beside it.</param>
    /// <param name="suffix">What is appended to that name for now.</param>
    /// <param name="file">What is known of the file.</param>
    /// <param name="sha256">Its SHA-256, where it was computed.</param>
    /// <param name="damaged">The tensors in it that are damaged, where they were checked.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    /// <exception cref="RefetchFault">The file, or some of its bytes, are not as they should be.</exception>
    public static void Verify(
        string path, string suffix, CatalogFile file, string? sha256, IReadOnlyList<TensorEntry>? damaged, CancellationToken cancellationToken)
    {
        CheckStart(path + suffix, file);
        if (damaged is null && BundlePath.PrefixOfData(path) is { } prefix) damaged = FindDamaged(prefix, suffix, cancellationToken);
        if (damaged?.Count > 0) throw Damaged(file, damaged);
        VerifyFile(path + suffix, file, sha256);
    }

    /// <summary>Compares a file with what is known of it, but not its tensors with the index.</summary>
    /// <exception cref="RefetchFault">The file is not as it should be.</exception>
    public static void VerifyFile(string path, CatalogFile file, string? sha256)
    {
        CheckStart(path, file);
        long length = ReadableFile.LengthOf(path);
        if (file.Size is long size && length != size)
            throw new RefetchFault(Gpt2Error.Truncated, FormattableString.Invariant($"{file.Name} has {length:N0} bytes instead of {size:N0}"));
        if (file.Sha256 is not null && sha256 is not null && sha256 != file.Sha256)
            throw new RefetchFault(Gpt2Error.ChecksumMismatch, $"{file.Name} has the SHA-256 {sha256} instead of {file.Sha256}");
        CheckFormat(path, file);
    }

    /// <summary>What the first bytes show of a body that is not the file it should be; <see langword="null"/> where it may be.</summary>
    public static string? Recognize(CatalogFile file, ReadOnlySpan<byte> start) =>
        ForeignFile.Recognize(start, isJson: file.Name.EndsWith(".json", StringComparison.Ordinal));

    private static void CheckStart(string path, CatalogFile file)
    {
        if (Recognize(file, ReadableFile.ReadStart(path, InspectedLength)) is { } body)
            throw new RefetchFault(Gpt2Error.ErrorBody, $"in place of {file.Name} came {body}");
    }

    private static TensorEntry[] FindDamaged(string prefix, string suffix, CancellationToken cancellationToken)
    {
        using TensorBundle bundle = TensorBundle.OpenExactly(prefix, suffix, cancellationToken);
        return [.. bundle.CheckAll(null, cancellationToken).Where(check => !check.IsValid).Select(check => check.Entry)];
    }

    private static RefetchFault Damaged(CatalogFile file, IReadOnlyList<TensorEntry> damaged) => new(
        Gpt2Error.ChecksumMismatch,
        $"{file.Name} has damaged tensors: {Excerpt.Of([.. damaged.Select(entry => entry.Name)])}",
        damaged.Any(entry => entry.IsPartitioned) ? null : [.. damaged.Select(RangeOf)]);

    // Where no hash is known, the file must at least be readable.
    private static void CheckFormat(string path, CatalogFile file)
    {
        try
        {
            if (file.Name.EndsWith(".index", StringComparison.Ordinal)) BundleIndex.Load(path);
            if (file.Name == Gpt2HyperParameters.FileName) Gpt2HyperParameters.Load(path);
        }
        catch (Gpt2Exception fault)
        {
            throw new RefetchFault(fault.Error, ReasonOf(fault, path, file));
        }
    }

    // The file by its name, and without what to do: whoever asked for it says where it is and how to get it again.
    private static string ReasonOf(Gpt2Exception fault, string path, CatalogFile file) => fault.Reason.Replace($"'{path}'", file.Name, StringComparison.Ordinal);

    private static ByteRange RangeOf(TensorEntry entry) => new(entry.Offset, entry.Offset + entry.Size);
}
