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

    /// <summary>A tensor of an old file, whose storage is the whole of what stands under its key, or a view of it.</summary>
    public static string OldTensor(string storage, string key, long count, long[] shape, long[]? strides = null, long offset = 0, (long First, long Count)? view = null)
    {
        string viewOf = view is { } part ? "(" + Text("view") + Int(part.First) + Int(part.Count) + "t" : "N";
        return Tensor(storage, key, count, shape, offset, strides).Replace(Int(count) + "tQ", Int(count) + viewOf + "tQ", StringComparison.Ordinal);
    }

    /// <summary>The file of versions before 1.6: pickles in a row, and the storages behind them, each behind its number of elements.</summary>
    public static byte[] OldFile(byte[] pickle, params IReadOnlyList<(string Key, long Count, byte[] Bytes)> storages) =>
    [
        .. OldHead, .. pickle,
        .. Pickle("]", "(", string.Concat(storages.Select(storage => Text(storage.Key))), "e"),
        .. storages.SelectMany(storage => (byte[])[.. BitConverter.GetBytes(storage.Count), .. storage.Bytes]),
    ];

    /// <summary>The first three pickles of an old file.</summary>
    public static byte[] OldHead =>
    [
        .. Pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), .. Pickle("M\xe9\x03"),
        .. Pickle("}(", Text("protocol_version"), "M\xe9\x03", Text("little_endian"), "\x88", Text("type_sizes"), "}", "u"),
    ];

    /// <summary>The archive, of a pickle and storages.</summary>
    public static byte[] Archive(byte[] pickle, params IEnumerable<(string Key, byte[] Bytes)> storages) => Zip(
    [
        ("archive/data.pkl", pickle), ("archive/byteorder", "little"u8.ToArray()),
        .. storages.Select(storage => ("archive/data/" + storage.Key, storage.Bytes)),
        ("archive/version", "3\n"u8.ToArray()),
    ]);

    /// <summary>Takes the checksums out of an archive, as PyTorch does where it is told to compute none.</summary>
    public static byte[] WithoutChecksums(byte[] archive)
    {
        byte[] bytes = [.. archive];
        for (int at = 0; at + 46 < bytes.Length; at++)
        {
            uint mark = BitConverter.ToUInt32(bytes, at);
            if (mark is 0x04034B50 or 0x02014B50) bytes.AsSpan(at + (mark == 0x04034B50 ? 14 : 16), sizeof(uint)).Clear();
        }

        return bytes;
    }

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
