using System.Buffers.Binary;
using PicoGpt.Files;
using PicoGpt.Pickles;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// Reads what <c>torch.save</c> wrote before version 1.6, and writes still where it is asked to: pickles in a row, of a magic number, a version, the
/// machine, the object and the keys of its storages, and then the storages, each behind its number of elements (_legacy_save in
/// torch/serialization.py).
/// </summary>
internal static class TorchLegacyFile
{
    private const long ProtocolVersion = 1001;
    private const string LittleEndian = "little_endian";

    /// <summary>The number 0x1950a86a20f9469cfc6c as a pickle, with which the files begin.</summary>
    public static ReadOnlySpan<byte> Magic => [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    /// <summary>Whether a file that begins with those bytes is one.</summary>
    public static bool IsOne(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Whether a file is one.</summary>
    public static unsafe bool IsOne(MappedFile file) =>
        file.Length >= Magic.Length && IsOne(new ReadOnlySpan<byte>(file.Address(0, Magic.Length), Magic.Length));

    /// <summary>Reads one.</summary>
    /// <returns>What it holds, and where its storages are.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">It is of a kind that is not read.</exception>
    public static unsafe (TorchContent Content, Dictionary<string, TorchData> Data) Read(MappedFile file, CancellationToken cancellationToken)
    {
        int length = (int)Math.Min(file.Length, TorchArchive.MaxPickleLength);
        byte[] head = new ReadOnlySpan<byte>(file.Address(0, length), length).ToArray();
        (object? version, int end) = TorchPickle.Read(head, Magic.Length, cancellationToken: cancellationToken);
        if (version is not ProtocolVersion) throw new NotSupportedException($"it is of the protocol version {version as long?}, where {ProtocolVersion} is known");
        (object? machine, end) = TorchPickle.Read(head, end, cancellationToken: cancellationToken);
        if (machine is Items facts && facts.Exists(fact => fact is { Key: LittleEndian, Value: false })) throw new NotSupportedException("its numbers are big-endian");

        Dictionary<string, TorchStorage> storages = new(StringComparer.Ordinal);
        (object? pickled, end) = TorchPickle.Read(head, end, storages, cancellationToken);
        (object? keys, end) = TorchPickle.Read(head, end, cancellationToken: cancellationToken);
        return (TorchContent.Of(pickled), Locate(file, keys, storages, end));
    }

    private static Dictionary<string, TorchData> Locate(MappedFile file, object? keys, Dictionary<string, TorchStorage> storages, long position)
    {
        if (keys is not List<object?> list) throw new InvalidDataException("it has no list of its storages");
        Dictionary<string, TorchData> data = new(StringComparer.Ordinal);
        foreach (object? item in list)
        {
            if (item is not string key || !storages.TryGetValue(key, out TorchStorage? storage))
                throw new InvalidDataException("it has a storage that belongs to nothing");
            long count = CountAt(file, position);
            position += sizeof(long);
            int elementSize = storage.DType.ElementSize()!.Value;
            if (count < 0 || count > (file.Length - position) / elementSize)
                throw new InvalidDataException($"its storage '{PickleGlobal.Shorten(key)}' should have {count} elements, but the file ends before");
            if (!data.TryAdd(key, new TorchData(position, count * elementSize))) throw new InvalidDataException($"it has the storage '{PickleGlobal.Shorten(key)}' twice");
            position += count * elementSize;
        }

        return data;
    }

    private static unsafe long CountAt(MappedFile file, long position) => position <= file.Length - sizeof(long)
        ? BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(file.Address(position, sizeof(long)), sizeof(long)))
        : throw new InvalidDataException("it ends before its storages do");
}
