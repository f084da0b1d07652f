using System.Buffers.Binary;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>What a GGUF file says of its model, by keys such as <c>gpt2.context_length</c>. Arrays are read when they are asked for.</summary>
internal sealed class GgufMetadata
{
    private readonly Dictionary<string, GgufValue> _values = new(StringComparer.Ordinal);
    private readonly ShardMappings _files;
    private readonly int _number;

    private GgufMetadata(ShardMappings files, int number) => (_files, _number) = (files, number);

    /// <summary>The full path of the file.</summary>
    public string Path => _files.PathOf(_number);

    /// <summary>Reads the keys, and where their values stand; the cursor is behind them then.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    /// <exception cref="InvalidDataException">A value is of a type that the format does not have, or a key stands there twice.</exception>
    public static GgufMetadata Read(ShardMappings files, int number, GgufCursor cursor, long count)
    {
        var metadata = new GgufMetadata(files, number);
        for (long i = 0; i < count; i++)
        {
            string key = cursor.Name();
            if (!metadata._values.TryAdd(key, ReadValue(cursor, key))) throw new InvalidDataException($"it has the key '{key}' twice");
        }

        return metadata;
    }

    /// <summary>Whether there is such a key.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>A text; <see langword="null"/> where there is no such key.</summary>
    /// <exception cref="Gpt2Exception">It is not text.</exception>
    public string? Text(string key) => Read(key, (value, cursor) => value is { Type: GgufValueType.String, Count: null } ? cursor.Text() : null, "text");

    /// <summary>A whole number of any width; <see langword="null"/> where there is no such key.</summary>
    /// <exception cref="Gpt2Exception">It is not a whole number from 0 to 2^63 − 1.</exception>
    public long? Number(string key) =>
        Read(key, (value, cursor) => value.Count is null && ReadNumber(value.Type, cursor) is { } number and >= 0 ? number : (long?)null, "whole number");

    /// <summary>A number; <see langword="null"/> where there is no such key.</summary>
    /// <exception cref="Gpt2Exception">It is not a number.</exception>
    public double? Real(string key) => Read(key, (value, cursor) => value.Count is null ? ReadReal(value.Type, cursor) : null, "number");

    /// <summary>A truth value; <see langword="null"/> where there is no such key.</summary>
    /// <exception cref="Gpt2Exception">It is something else.</exception>
    public bool? Flag(string key) =>
        Read(key, (value, cursor) => value is { Type: GgufValueType.Bool, Count: null } ? cursor.Take(1)[0] != 0 : (bool?)null, "truth value");

    /// <summary>A list of texts; <see langword="null"/> where there is no such key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">It is something else.</exception>
    public string[]? Texts(string key, CancellationToken cancellationToken = default) => Read(key, ReadTexts, "list of texts", cancellationToken);

    /// <summary>A list of whole numbers; <see langword="null"/> where there is no such key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="max">How many there may be.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">It is something else, or longer.</exception>
    public long[]? Numbers(string key, int max, CancellationToken cancellationToken = default) =>
        Read(key, (value, cursor) => ReadNumbers(value, cursor, max), $"list of up to {max} whole numbers", cancellationToken);

    /// <summary>The exception for a value that makes no sense.</summary>
    public Gpt2Exception Bad(string what) => new(Gpt2Error.Corrupt, $"'{Path}' {what}; convert or download the file again.", Path);

    private T? Read<T>(string key, Func<GgufValue, GgufCursor, T?> read, string kind, CancellationToken cancellationToken = default)
    {
        if (!_values.TryGetValue(key, out GgufValue value)) return default;
        using var hold = new MappingHold(_files);
        try
        {
            return read(value, new GgufCursor(_files.Open(_number), value.Offset, cancellationToken)) ?? throw Bad($"has under the key '{key}' no {kind}");
        }
        catch (InvalidDataException fault)
        {
            throw new Gpt2Exception(Gpt2Error.Corrupt, $"'{Path}' is damaged at its key '{key}': {fault.Message}; convert or download it again.", Path, fault);
        }
    }

    private static string[]? ReadTexts(GgufValue value, GgufCursor cursor)
    {
        if (value is not { Type: GgufValueType.String, Count: { } count and <= int.MaxValue }) return null;
        string[] texts = new string[count];
        for (int i = 0; i < texts.Length; i++) texts[i] = cursor.Text();
        return texts;
    }

    private static long[]? ReadNumbers(GgufValue value, GgufCursor cursor, int max)
    {
        if (value.Count is not { } count || count > max) return null;
        long[] numbers = new long[count];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (ReadNumber(value.Type, cursor) is not { } number) return null;
            numbers[i] = number;
        }

        return numbers;
    }

    private static GgufValue ReadValue(GgufCursor cursor, string key)
    {
        var type = (GgufValueType)cursor.UInt32();
        if (type != GgufValueType.Array)
        {
            var value = new GgufValue(type, null, cursor.Position);
            SkipValues(cursor, type, 1, key);
            return value;
        }

        var elementType = (GgufValueType)cursor.UInt32();
        long count = cursor.Count($"elements under '{key}'", SizeOf(elementType, key));
        var array = new GgufValue(elementType, count, cursor.Position);
        SkipValues(cursor, elementType, count, key);
        return array;
    }

    private static void SkipValues(GgufCursor cursor, GgufValueType type, long count, string key)
    {
        if (type == GgufValueType.String)
        {
            for (long i = 0; i < count; i++) cursor.SkipText();
        }
        else
        {
            cursor.Skip(count * SizeOf(type, key));
        }
    }

    // the least that a value takes: a text has at least its length
    private static int SizeOf(GgufValueType type, string key) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 or GgufValueType.String => 8,
        GgufValueType.Array => throw new NotSupportedException($"its key '{key}' holds lists in lists"),
        _ => throw new InvalidDataException($"its key '{key}' has the type {(uint)type}, which the format does not have"),
    };

    private static long? ReadNumber(GgufValueType type, GgufCursor cursor) => type switch
    {
        GgufValueType.UInt8 => cursor.Take(1)[0],
        GgufValueType.Int8 => (sbyte)cursor.Take(1)[0],
        GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(cursor.Take(2)),
        GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(cursor.Take(2)),
        GgufValueType.UInt32 => cursor.UInt32(),
        GgufValueType.Int32 => (int)cursor.UInt32(),
        GgufValueType.UInt64 or GgufValueType.Int64 => (long)cursor.UInt64(),
        _ => null,
    };

    private static double? ReadReal(GgufValueType type, GgufCursor cursor) => type switch
    {
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(cursor.Take(sizeof(float))),
        GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(cursor.Take(sizeof(double))),
        _ => ReadNumber(type, cursor),
    };
}
