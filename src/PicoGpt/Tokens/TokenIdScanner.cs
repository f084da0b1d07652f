using System.Runtime.CompilerServices;

namespace PicoGpt.Tokens;

/// <summary>
/// Reads the usual form of an object of ids by spelling in one pass over its bytes. What is not usual it leaves to a JSON reader, and
/// to whoever can say what is wrong with it: a new process waits for this, and the general way takes twice as long.
/// </summary>
/// <remarks>All of it is inlined into one loop; <see cref="SymbolTable"/> says why.</remarks>
internal ref struct TokenIdScanner
{
    private const int MaxLength = 256; // of a spelling, in characters

    private const int MaxDigits = 9; // of an id

    private const int Portion = 4096; // tokens between two looks at whether they are wanted still

    private readonly ReadOnlySpan<byte> _json;
    private int _at;

    private TokenIdScanner(ReadOnlySpan<byte> json) => _json = json;

    /// <summary>Adds the tokens of a file to a dictionary.</summary>
    /// <param name="json">The file's bytes, without a mark of their order.</param>
    /// <param name="ids">The ids by spelling, which are of no use where this fails.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Whether the file has the usual form, with one token at least and none twice.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static bool TryRead(ReadOnlySpan<byte> json, Dictionary<string, int> ids, CancellationToken cancellationToken) =>
        new TokenIdScanner(json).TryRead(ids, cancellationToken);

    private bool TryRead(Dictionary<string, int> ids, CancellationToken cancellationToken)
    {
        Span<char> buffer = stackalloc char[MaxLength];
        byte next = (byte)',';
        if (!Takes((byte)'{')) return false;
        while (next == ',')
        {
            if (ids.Count % Portion == 0) cancellationToken.ThrowIfCancellationRequested();
            if (!Takes((byte)'"') || !TryText(buffer, out int length)) return false;
            if (!Takes((byte)':') || !TryNumber(out int id) || !ids.TryAdd(new string(buffer[..length]), id)) return false;
            next = TakeNext();
        }

        return next == '}' && TakeNext() == 0 && _at == _json.Length;
    }

    private bool Takes(byte wanted) => TakeNext() == wanted;

    // The byte after white space; 0 at the end, where it stays.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte TakeNext()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') _at++;
        return _at < _json.Length ? _json[_at++] : (byte)0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryNumber(out int number)
    {
        number = TakeNext() - '0';
        if (number is < 0 or > 9) return false;
        int first = number, digits = 1;
        for (; _at < _json.Length && _json[_at] is >= (byte)'0' and <= (byte)'9'; _at++, digits++)
        {
            if (digits == MaxDigits || first == 0) return false; // JSON has no zeros in front
            number = (10 * number) + _json[_at] - '0';
        }

        return _at < _json.Length && _json[_at] is not ((byte)'.' or (byte)'e' or (byte)'E');
    }

    // The characters up to the quotation mark, which is taken too.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryText(scoped Span<char> text, out int length)
    {
        for (length = 0; _at < _json.Length && length < text.Length; length++)
        {
            byte value = _json[_at++];
            if (value == '"') return true;
            if (value is < 0x20 or >= 0xE0 || !TryCharacter(value, out text[length])) return false;
        }

        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryCharacter(byte value, out char character)
    {
        character = (char)value;
        if (value == '\\') return TryEscape(out character);
        if (value < 0x80) return true;
        if (value < 0xC2 || _at == _json.Length || (_json[_at] & 0xC0) != 0x80) return false;
        character = (char)(((value & 0x1F) << 6) | (_json[_at++] & 0x3F));
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryEscape(out char character)
    {
        character = '\0';
        if (_at == _json.Length) return false;
        character = (char)_json[_at++];
        return character switch
        {
            '"' or '\\' or '/' => true,
            'u' => TryCodeUnit(out character),
            _ => false,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryCodeUnit(out char character)
    {
        character = '\0';
        for (int digit = 0; digit < 4; digit++)
        {
            byte value = _at < _json.Length ? _json[_at++] : (byte)0;
            if (!char.IsAsciiHexDigit((char)value)) return false;
            character = (char)((character << 4) | (value <= '9' ? value - '0' : (value | 0x20) - 'a' + 10));
        }

        return !char.IsSurrogate(character);
    }
}
