using System.IO.Compression;
using System.Text;

namespace PicoGpt.Fuzz;

/// <summary>Files as PyTorch's torch.save writes them, made by hand.</summary>
internal static class TorchBytes
{
    /// <summary>A pickle of protocol 2; texts stand for their bytes in Latin-1.</summary>
    public static byte[] Pickle(params IEnumerable<string> parts) => Encoding.Latin1.GetBytes("\x80\x02" + string.Concat(parts) + ".");

    public static string Text(string text) => "X" + Number(Encoding.UTF8.GetByteCount(text)) + Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    public static string Global(string module, string name) => $"c{module}\n{name}\n";

    public static string Int(long number) => number is >= 0 and < 256
        ? "K" + (char)number
        : number is >= int.MinValue and <= int.MaxValue ? "J" + Number((int)number) : "\x8a\x08" + Encoding.Latin1.GetString(BitConverter.GetBytes(number));

    public static string Tuple(IEnumerable<long> numbers) => "(" + string.Concat(numbers.Select(Int)) + "t";

    /// <summary>A tensor, contiguous unless strides are given.</summary>
    public static string Tensor(string storage, string key, long count, long[] shape, long offset = 0, long[]? strides = null)
    {
        strides ??= [.. shape.Select((_, d) => shape.Skip(d + 1).Aggregate(1L, (product, length) => product * length))];
        string id = "(" + Text("storage") + Global("torch", storage) + Text(key) + Text("cpu") + Int(count) + "tQ";
        return Global("torch._utils", "_rebuild_tensor_v2") + "(" + id + Int(offset) + Tuple(shape) + Tuple(strides) + "\x89" + EmptyDictionary + "tR";
    }

    public static string Parameter(string tensor) => Global("torch._utils", "_rebuild_parameter") + "(" + tensor + "\x88" + EmptyDictionary + "tR";

    public static string EmptyDictionary => Global("collections", "OrderedDict") + ")R";

    /// <summary>A state dictionary, with the attribute that PyTorch gives it.</summary>
    public static byte[] StateDictionary(params IEnumerable<(string Name, string Tensor)> tensors) => Pickle(
        EmptyDictionary, "(", string.Concat(tensors.Select(t => Text(t.Name) + t.Tensor)), "u",
        "}", Text("_metadata"), EmptyDictionary, "sb");

    /// <summary>The archive, of a pickle and storages.</summary>
    public static byte[] Archive(byte[] pickle, params IEnumerable<(string Key, byte[] Bytes)> storages) => Zip(
    [
        ("archive/data.pkl", pickle), ("archive/byteorder", "little"u8.ToArray()),
        .. storages.Select(storage => ("archive/data/" + storage.Key, storage.Bytes)),
        ("archive/version", "3\n"u8.ToArray()),
    ]);

    public static byte[] Zip(IEnumerable<(string Name, byte[] Bytes)> files, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] bytes) in files)
            {
                using Stream entry = archive.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    private static string Number(int number) => Encoding.Latin1.GetString(BitConverter.GetBytes(number));
}
