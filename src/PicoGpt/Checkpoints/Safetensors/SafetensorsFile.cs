using System.Buffers.Binary;
using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Safetensors;

/// <summary>
/// Reads safetensors files: a length, a JSON header and the tensors' bytes, without gaps (the format's description in the README of
/// huggingface/safetensors).
/// </summary>
internal static class SafetensorsFile
{
    /// <summary>The key of the header that holds no tensor.</summary>
    public const string MetadataKey = "__metadata__";

    /// <summary>The bytes of the header's length.</summary>
    public const int PrefixLength = sizeof(ulong);

    /// <summary>The most bytes that a header has: the reference implementation's own limit.</summary>
    public const int MaxHeaderLength = 100_000_000;

    private static readonly (string Name, TensorDType DType)[] Types =
    [
        ("F32", TensorDType.Float32), ("F16", TensorDType.Float16), ("BF16", TensorDType.BFloat16), ("F64", TensorDType.Float64),
        ("I64", TensorDType.Int64), ("I32", TensorDType.Int32), ("I16", TensorDType.Int16), ("I8", TensorDType.Int8),
        ("U64", TensorDType.UInt64), ("U32", TensorDType.UInt32), ("U16", TensorDType.UInt16), ("U8", TensorDType.UInt8),
        ("BOOL", TensorDType.Bool),
    ];

    // Types that the format has and that are not read, by what people call them.
    private static readonly Dictionary<string, string> OtherTypes = new()
    {
        ["F8_E4M3"] = "float8",
        ["F8_E5M2"] = "float8",
        ["F8_E8M0"] = "float8, scales of smaller types",
        ["F6_E2M3"] = "float6",
        ["F6_E3M2"] = "float6",
        ["F4"] = "float4",
        ["C64"] = "complex numbers",
    };

    /// <summary>The name that the header has for a type; <see langword="null"/> where the format has no such type.</summary>
    public static string? NameOf(TensorDType dtype) => Array.Find(Types, type => type.DType == dtype).Name;

    /// <summary>Lists the tensors of one mapped file.</summary>
    /// <exception cref="Gpt2Exception">It is damaged or of another format.</exception>
    public static IEnumerable<StoredTensor> ListTensors(ShardMappings files, int file, CancellationToken cancellationToken) =>
        WithHeader(files.Open(file), (header, dataStart) => Tensors(header, files, file, dataStart, cancellationToken).ToArray());

    /// <summary>The texts that the header of a file has beside its tensors.</summary>
    /// <exception cref="Gpt2Exception">The file cannot be read, or is damaged.</exception>
    public static Dictionary<string, string> ReadMetadata(string path)
    {
        Dictionary<string, string> texts = [];
        using ITensorSource source = MappedSource.Open(path, (files, file, _) =>
        {
            texts = WithHeader(files.Open(file), (header, _) => TextsOf(header));
            return [];
        });
        return texts;
    }

    private static Dictionary<string, string> TextsOf(JsonElement header)
    {
        Dictionary<string, string> texts = [];
        if (!header.TryGetProperty(MetadataKey, out JsonElement metadata) || metadata.ValueKind != JsonValueKind.Object) return texts;
        foreach (JsonProperty text in metadata.EnumerateObject().Where(text => text.Value.ValueKind == JsonValueKind.String))
            texts[text.Name] = text.Value.GetString()!;
        return texts;
    }

    // Reads the header, and tells what is wrong with it in a sentence.
    private static T WithHeader<T>(MappedFile mapped, Func<JsonElement, int, T> read)
    {
        try
        {
            int headerLength = ReadHeaderLength(mapped);
            using JsonDocument header = ParseHeader(mapped, headerLength);
            return read(header.RootElement, PrefixLength + headerLength);
        }
        catch (NotSupportedException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"'{mapped.Path}' is not read: {fault.Message}; give the model as it was before, or saved in float16, bfloat16 or float32.",
                mapped.Path,
                fault);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or JsonException or InvalidOperationException)
        {
            ForeignWeights.ThrowIfForeign(mapped.Path);
            throw new Gpt2Exception(
                fault is EndOfStreamException ? Gpt2Error.Truncated : Gpt2Error.NotAFormat,
                $"'{mapped.Path}' is not a whole safetensors file: {Describe(fault)}; copy or download it again.",
                mapped.Path,
                fault);
        }
    }

    private static string Describe(Exception fault) => fault is JsonException or InvalidOperationException ? "its header is not valid JSON" : fault.Message;

    private static unsafe int ReadHeaderLength(MappedFile file)
    {
        if (file.Length < PrefixLength) throw new EndOfStreamException($"it has {file.Length} bytes");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(file.Address(0, PrefixLength), PrefixLength));
        if (length is < 2 or > MaxHeaderLength)
            throw new InvalidDataException($"its first eight bytes declare a header of {length} bytes, where 2 to {MaxHeaderLength} are allowed");
        if ((long)length > file.Length - PrefixLength)
            throw new EndOfStreamException($"its header should have {length} bytes, but the file has {file.Length} in all");
        return (int)length;
    }

    private static unsafe JsonDocument ParseHeader(MappedFile file, int length)
    {
        var options = new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false };
        byte[] json = new ReadOnlySpan<byte>(file.Address(PrefixLength, length), length).ToArray();
        JsonDocument header;
        try
        {
            header = JsonDocument.Parse(json, options);
        }
        catch (JsonException) when (JsonFile.TwiceIn(json) is { } name)
        {
            throw new InvalidDataException($"its header has the name '{name}' twice");
        }

        return header.RootElement.ValueKind == JsonValueKind.Object ? header : throw new InvalidDataException("its header is not a JSON object");
    }

    private static IEnumerable<MappedTensor> Tensors(JsonElement header, ShardMappings files, int file, long dataStart, CancellationToken cancellationToken)
    {
        long dataLength = files.Open(file).Length - dataStart, end = 0;
        (string Name, TensorDType DType, TensorShape Shape, long Begin, long End)[] listed =
            [.. header.EnumerateObject().Where(p => p.Name != MetadataKey).Select(Read).OrderBy(t => t.Begin).ThenBy(t => t.End)];
        foreach ((string name, TensorDType dtype, TensorShape shape, long tensorBegin, long tensorEnd) in listed)
        {
            if (tensorBegin != end) throw new InvalidDataException($"tensor '{name}' begins at {tensorBegin}, but the one before it ends at {end}");
            if (tensorEnd > dataLength)
                throw new EndOfStreamException($"tensor '{name}' ends at byte {tensorEnd} of the data, of which {dataLength} are there");
            end = tensorEnd;
            yield return new MappedTensor(files, file, dataStart + tensorBegin, name, dtype, shape);
        }

        if (end != dataLength) throw new InvalidDataException($"its tensors end at byte {end} of {dataLength} of the data");

        (string Name, TensorDType DType, TensorShape Shape, long Begin, long End) Read(JsonProperty property)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ReadTensor(property.Name, property.Value);
        }
    }

    private static (string Name, TensorDType DType, TensorShape Shape, long Begin, long End) ReadTensor(string name, JsonElement value)
    {
        string typeName = Property(value, "dtype").GetString() ?? "";
        TensorDType dtype = Array.Find(Types, type => type.Name == typeName).DType;
        if (OtherTypes.TryGetValue(typeName, out string? what)) throw new NotSupportedException($"its tensor '{name}' is of the type {typeName} ({what})");
        if (dtype == TensorDType.None) throw new InvalidDataException($"tensor '{name}' is of the type '{typeName}', which is not read");

        long[] dimensions = Numbers(Property(value, "shape"), name);
        long[] offsets = Numbers(Property(value, "data_offsets"), name);
        if (offsets is not [long begin, long end] || end < begin)
            throw new InvalidDataException($"tensor '{name}' has no pair of offsets");
        if (!TensorShape.TryCountElements(dimensions, out long count))
            throw new InvalidDataException($"tensor '{name}' has more elements than can be counted");
        if ((Int128)count * dtype.ElementSize()!.Value != end - begin)
            throw new InvalidDataException($"tensor '{name}' has {end - begin} bytes for {count} elements of {typeName}");
        return (name, dtype, new TensorShape(dimensions), begin, end);

        JsonElement Property(JsonElement parent, string key) =>
            parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(key, out JsonElement child)
                ? child
                : throw new InvalidDataException($"tensor '{name}' has no {key}");
    }

    private static long[] Numbers(JsonElement array, string name)
    {
        if (array.ValueKind != JsonValueKind.Array) throw new InvalidDataException($"tensor '{name}' has no list of numbers where one should be");
        if (array.GetArrayLength() > TensorShape.MaxRank)
            throw new InvalidDataException($"tensor '{name}' has {array.GetArrayLength()} numbers where {TensorShape.MaxRank} are the most");
        return [.. array.EnumerateArray().Select(number =>
            number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out long value) && value >= 0
                ? value
                : throw new InvalidDataException($"tensor '{name}' has '{number}' where a number from 0 on should be"))];
    }
}
