using System.Buffers.Binary;
using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Safetensors;

/// <summary>Writes a safetensors file. Its header stands before the data, so the tensors are told of before they come.</summary>
internal sealed class SafetensorsWriter : ITensorWriter
{
    // The reference implementation pads the header to eight bytes, so that the data is aligned for every type.
    private const int Alignment = 8;

    private readonly OutputFile _file;
    private readonly Queue<TensorDescription> _expected;

    /// <param name="path">The full path of the file.</param>
    /// <param name="tensors">The tensors in the order in which they come; the larger types first, which keeps each aligned.</param>
    /// <param name="meter">What counts the bytes of the tensors.</param>
    /// <param name="metadata">Further texts of the header.</param>
    public SafetensorsWriter(
        string path, IReadOnlyList<TensorDescription> tensors, WriteMeter? meter = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        _expected = new(tensors);
        byte[] header = Header(tensors, metadata ?? new Dictionary<string, string>());
        _file = new OutputFile(path, meter);
        try
        {
            Span<byte> length = stackalloc byte[SafetensorsFile.PrefixLength];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            _file.Stream.Write(length);
            _file.Stream.Write(header);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public void Add(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data)
    {
        if (!_expected.TryDequeue(out TensorDescription next) || next != new TensorDescription(name, dtype, shape))
            throw new ArgumentException($"tensor '{name}' does not come in its turn", nameof(name));
        if (data.Length != shape.ElementCount * dtype.ElementSize())
            throw new ArgumentException($"{shape} of {dtype.DisplayName()} does not take {data.Length} bytes", nameof(data));
        _file.Write(data);
    }

    public void Complete()
    {
        if (_expected.Count > 0) throw new InvalidOperationException($"tensor '{_expected.Peek().Name}' has not come");
        _file.Complete();
    }

    public IReadOnlyList<OutputFile> Files => [_file];

    public void Dispose() => _file.Dispose();

    private static byte[] Header(IReadOnlyList<TensorDescription> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsFile.MetadataKey);
            json.WriteString("format", "pt"); // without which transformers does not load the file
            foreach ((string key, string value) in metadata) json.WriteString(key, value);
            json.WriteEndObject();
            long offset = 0;
            foreach ((string name, TensorDType dtype, TensorShape shape) in tensors) WriteTensor(json, name, dtype, shape, ref offset);
            json.WriteEndObject();
        }

        while (stream.Length % Alignment != 0) stream.WriteByte((byte)' ');
        return stream.ToArray();
    }

    private static void WriteTensor(Utf8JsonWriter json, string name, TensorDType dtype, TensorShape shape, ref long offset)
    {
        string type = SafetensorsFile.NameOf(dtype) ?? throw new ArgumentException($"the format has no {dtype.DisplayName()}", nameof(dtype));
        json.WriteStartObject(name);
        json.WriteString("dtype", type);
        json.WriteStartArray("shape");
        foreach (long dimension in shape.Dimensions) json.WriteNumberValue(dimension);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        offset = checked(offset + (shape.ElementCount * dtype.ElementSize()!.Value));
        json.WriteNumberValue(offset);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
