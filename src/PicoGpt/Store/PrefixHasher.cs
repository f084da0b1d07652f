using System.Security.Cryptography;

namespace PicoGpt.Store;

/// <summary>
/// Computes the SHA-256 of a file while it arrives: it follows the part that has no gap. What it has read is still in the
/// system's cache then, so the hash costs no reading of the disk and is ready shortly after the last byte.
/// </summary>
internal sealed class PrefixHasher(PartFile part)
{
    private const int BufferSize = 1024 * 1024;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>Hashes until the file is complete.</summary>
    /// <returns>The hash in lower-case hexadecimal.</returns>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferSize);
        int generation = part.Generation;
        for (long position = 0; ;)
        {
            if (generation != part.Generation)
            {
                hash.GetHashAndReset();
                (generation, position) = (part.Generation, 0);
            }

            int count = (int)Math.Min(BufferSize, part.PrefixEnd - position);
            if (count > 0)
            {
                int read = await RandomAccess.ReadAsync(part.Handle, buffer.AsMemory(0, count), position, cancellationToken).ConfigureAwait(false);
                hash.AppendData(buffer, 0, read);
                position += read;
            }
            else if (position == part.Length)
            {
                return Convert.ToHexStringLower(hash.GetHashAndReset());
            }
            else
            {
                await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
