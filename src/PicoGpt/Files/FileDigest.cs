using System.Globalization;
using System.Security.Cryptography;

namespace PicoGpt.Files;

/// <summary>
/// The SHA-256 of a file. It is written down among the converted weights, with the file's identity, length and the time of its last change, which
/// no program can set; while these are the same, the file need not be read again.
/// </summary>
internal static class FileDigest
{
    private const int PieceLength = 16 * 1024 * 1024;
    private const int MaxNoteLength = 1024;

    // A file that changed just now may change again within the same tick of its clock.
    private static readonly TimeSpan CoarsestClock = TimeSpan.FromSeconds(2);

    /// <summary>The digest of a file, in hexadecimal digits.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Looked at before every piece.</param>
    /// <exception cref="Gpt2Exception">The file was changed, or a copy of it needs more memory than is free.</exception>
    public static string Of(MappedFile file, CancellationToken cancellationToken)
    {
        string note = Path.Combine(Path.GetDirectoryName(file.Path)!, ConvertedFolder.Name, Path.GetFileName(file.Path) + ConvertedFolder.DigestSuffix);
        string? state = StateOf(file);
        if (state is not null && TryRead(note) is [string noted, string digest] && noted == state) return digest;
        digest = Compute(file, cancellationToken);
        if (state is not null) TryWrite(note, $"{state}\n{digest}\n");
        return digest;
    }

    private static unsafe string Compute(MappedFile file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long done = 0; done < file.Length; done += PieceLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = (int)Math.Min(PieceLength, file.Length - done);
            hash.AppendData(new ReadOnlySpan<byte>(file.Address(done, length), length));
        }

        file.ThrowIfChanged();
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string? StateOf(MappedFile file)
    {
        if (file.Identity is not { } identity) return null;
        DateTime changed = identity.ChangedAt;
        return DateTime.UtcNow - changed > CoarsestClock
            ? string.Create(CultureInfo.InvariantCulture, $"{identity.Volume:x} {identity.High:x} {identity.Low:x} {file.Length} {changed.Ticks}")
            : null;
    }

    private static string[] TryRead(string note)
    {
        try
        {
            return new FileInfo(note) is { Exists: true, Length: <= MaxNoteLength } ? File.ReadAllLines(note) : [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Where it cannot be written, the file is read again the next time.
    private static void TryWrite(string note, string text)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(note)!);
            using var file = new OutputFile(note);
            file.Stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            file.Finish();
        }
        catch (Exception fault) when (UnwritableFile.IsFaultOrRefusal(fault))
        {
        }
    }
}
