using System.Security.Cryptography;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>Marks broken files as unfinished, so that they are fetched again; the good bytes of a data file are kept.</summary>
internal static class ModelRepair
{
    public static void DiscardDamage(string folder, CatalogModel model, CancellationToken cancellationToken)
    {
        foreach (CatalogFile file in model.Files.OrderBy(file => file.Size ?? 0))
        {
            string path = Path.Combine(folder, file.Name);
            if (!File.Exists(path)) continue;
            try
            {
                string? sha256 = ComputeSha256(path, file, cancellationToken);
                FileVerifier.Verify(path, suffix: "", file, sha256, damaged: null, cancellationToken);
            }
            catch (Exception fault) when (fault is RefetchFault or Gpt2Exception)
            {
                Discard(path, file, (fault as RefetchFault)?.Damaged);
            }
        }
    }

    /// <summary>The SHA-256 of a file, where it is known what that should be.</summary>
    public static string? ComputeSha256(string path, CatalogFile file, CancellationToken cancellationToken)
    {
        if (file.Sha256 is null) return null;
        using FileStream stream = ReadableFile.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(1024 * 1024);
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Discard(string path, CatalogFile file, IReadOnlyList<ByteRange>? damaged)
    {
        long length = ReadableFile.LengthOf(path);
        long wholeLength = file.Size ?? length;
        if (damaged is null || length > wholeLength)
        {
            File.Delete(path);
            return;
        }

        var good = new RangeSet();
        good.Add(new ByteRange(0, length));
        foreach (ByteRange range in damaged) good.Remove(range);
        PartFile.Reopen(path, wholeLength, good);
    }
}
