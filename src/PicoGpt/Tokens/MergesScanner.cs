using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Reads the usual form of a file of merges in one pass over its bytes. What is not usual it leaves to whoever can say what is wrong with it:
/// a new process waits for this, and the general way takes twice as long.
/// </summary>
internal static class MergesScanner
{
    private const int MaxLength = 256; // of the symbol that a merge makes, in bytes

    private const int Portion = 4096; // lines between two looks at whether they are wanted still

    /// <summary>Adds the merges of a file to a table.</summary>
    /// <param name="file">The file's bytes, without a mark of their order.</param>
    /// <param name="merges">The table, which is of no use where this fails.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Whether the file has the usual form.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static bool TryRead(ReadOnlySpan<byte> file, MergeTable merges, CancellationToken cancellationToken)
    {
        Span<byte> made = stackalloc byte[MaxLength];
        int length = 0, left = 0, rank = 0; // of the line: bytes of both symbols, those of the left one once it has ended
        int at = LengthOfHeading(file);
        if (at < 0) return false;
        for (; at <= file.Length; at++)
        {
            byte value = at < file.Length ? file[at] : (byte)'\n';
            if (value == '\n')
            {
                if (length == 0) continue;
                if (left == 0 || left == length) return false;
                if (rank % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
                merges.Add(made[..length], left, rank++);
                (length, left) = (0, 0);
            }
            else if (value == ' ')
            {
                if (length == 0 || left > 0) return false;
                left = length;
            }
            else if (length == MaxLength || !TryTake(file, ref at, out made[length++]))
            {
                return false;
            }
        }

        return true;
    }

    // Of a first line as OpenAI's file has it; -1 where something in it is not plain.
    private static int LengthOfHeading(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith("#version"u8)) return 0;
        int length = 0;
        while (length < file.Length && file[length] is >= 0x20 and < 0x7F) length++;
        return length == file.Length || file[length] == '\n' ? length : -1;
    }

    // GPT-2's alphabet has characters of one and of two bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // see SymbolTable
    private static bool TryTake(ReadOnlySpan<byte> file, ref int at, out byte value)
    {
        int character = file[at];
        if (character >= 0x80)
        {
            value = 0;
            if ((character & 0xE0) != 0xC0 || ++at >= file.Length || (file[at] & 0xC0) != 0x80) return false;
            character = ((character & 0x1F) << 6) | (file[at] & 0x3F);
            if (character < 0x80) return false; // a longer form than is allowed
        }

        return ByteAlphabet.TryGetByte((char)character, out value);
    }
}
