using System.Security.Cryptography;
using PicoGpt.Checkpoints.TensorFlow;

namespace PicoGpt.Store;

/// <summary>
/// Computes the SHA-256 of a file and the checksums of its tensors while the file arrives, as far as it has no gap. What it reads is
/// still in the system's cache, so it costs no reading of the disk and is done shortly after the last byte.
/// </summary>
internal sealed class PrefixVerifier(PartFile part, RunningChecksums? tensors)
{
    private const int BufferSize = 1024 * 1024;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>Reads until the file is complete.</summary>
    /// <returns>The SHA-256 in lower-case hexadecimal and, where tensors were checked, those that are damaged.</returns>
    public async Task<(string Sha256, IReadOnlyList<TensorEntry>? Damaged)> RunAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferSize);
        int generation = part.Generation;
        for (long position = 0; ;)
        {
            if (generation != part.Generation)
            {
                hash.GetHashAndReset();
                tensors?.Reset();
                (generation, position) = (part.Generation, 0);
            }

            int count = (int)Math.Min(BufferSize, part.PrefixEnd - position);
            if (count > 0)
            {
                int read = await RandomAccess.ReadAsync(part.Handle, buffer.AsMemory(0, count), position, cancellationToken)
                    .ConfigureAwait(false);
                hash.AppendData(buffer, 0, read);
                tensors?.Append(buffer.AsSpan(0, read));
                position += read;
            }
            else if (position == part.Length)
            {
                return (Convert.ToHexStringLower(hash.GetHashAndReset()), tensors?.Damaged);
            }
            else
            {
                await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
