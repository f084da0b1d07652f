using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using PicoGpt.Checkpoints;

namespace PicoGpt.Tests.Checkpoints;

/// <summary>Safetensors files made by hand, from the format's description alone.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file with a header as given and bytes behind it.</summary>
    public static byte[] Of(string header, ReadOnlySpan<byte> data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file.AsSpan(8 + json.Length));
        return file;
    }

    /// <summary>A file with tensors.</summary>
    public static byte[] Of(params IReadOnlyList<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors)
    {
        var header = new Dictionary<string, object> { ["__metadata__"] = new { format = "pt" } };
        using var data = new MemoryStream();
        foreach ((string name, string type, long[] shape, byte[] bytes) in tensors)
        {
            long begin = data.Length;
            data.Write(bytes);
            header.Add(name, new { dtype = type, shape, data_offsets = new[] { begin, data.Length } });
        }

        string json = JsonSerializer.Serialize(header);
        return Of(json.PadRight((json.Length + 7) / 8 * 8), data.ToArray());
    }

    /// <summary>Writes a file of any size with zeros, which take no room where the file system knows holes; the first byte of the last tensor is given.</summary>
    public static void WriteZeros(string path, byte value, params IReadOnlyList<(string Name, string Type, long[] Shape, long Size)> tensors)
    {
        long end = 0;
        var header = tensors.ToDictionary(tensor => tensor.Name, tensor => new { dtype = tensor.Type, shape = tensor.Shape, data_offsets = new[] { end, end += tensor.Size } });
        using FileStream file = File.Create(path);
        file.Write(Of(JsonSerializer.Serialize(header), []));
        file.SetLength(file.Position + end);
        file.Seek(-tensors[^1].Size, SeekOrigin.End);
        file.WriteByte(value);
    }

    /// <summary>Tensors by name, read without the product's reader.</summary>
    public static Dictionary<string, (string Type, long[] Shape, byte[] Bytes)> Read(byte[] file)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, length));
        return header.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__").ToDictionary(p => p.Name, p =>
        {
            long[] offsets = Longs(p.Value.GetProperty("data_offsets"));
            return (p.Value.GetProperty("dtype").GetString()!, Longs(p.Value.GetProperty("shape")),
                file[(8 + length + (int)offsets[0])..(8 + length + (int)offsets[1])]);
        });

        static long[] Longs(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetInt64())];
    }

    public static StoredTensor Tensor(this ITensorSource source, string name) => source.Tensors.Single(tensor => tensor.Name == name);
}
