using PicoGpt.Files;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// Reads what PyTorch's <c>torch.save</c> writes: since version 1.6 a ZIP archive with a pickle, which names the tensors, and a file for each
/// storage (torch/serialization.py), before it a <see cref="TorchLegacyFile"/>. Nothing in it is run.
/// </summary>
internal static class TorchArchive
{
    /// <summary>What the path of the pickle in an archive ends in.</summary>
    public const string PickleName = "/data.pkl";

    /// <summary>The bytes that a pickle may have; a tensor takes some two hundred.</summary>
    public const int MaxPickleLength = 4 * 1024 * 1024;

    private const string ProgramName = "constants.pkl";

    /// <summary>Lists the tensors of one mapped file.</summary>
    /// <exception cref="Gpt2Exception">It is damaged, of another format, or holds no weights.</exception>
    public static IEnumerable<StoredTensor> ListTensors(ShardMappings files, int number, CancellationToken cancellationToken) =>
        Read(files, number, cancellationToken).Tensors;

    /// <summary>Reads one mapped file.</summary>
    /// <returns>The tensors, and what the file tells of them.</returns>
    /// <exception cref="Gpt2Exception">It is damaged, of another format, or holds no weights.</exception>
    public static (StoredTensor[] Tensors, TorchContent Content) Read(ShardMappings files, int number, CancellationToken cancellationToken)
    {
        MappedFile file = files.Open(number);
        try
        {
            (TorchContent content, Dictionary<string, TorchData> data) = TorchLegacyFile.IsOne(file) ? TorchLegacyFile.Read(file, cancellationToken) : ReadArchive(file, cancellationToken);
            return (TorchTensors.Of(files, number, content.Weights, data, cancellationToken), content);
        }
        catch (HostilePickleException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"'{file.Path}' is not read, and nothing in it was run: {fault.Message}, which no checkpoint needs; do not open it in Python.",
                file.Path,
                fault);
        }
        catch (NotSupportedException fault)
        {
            throw new Gpt2Exception(
                Gpt2Error.Unsupported,
                $"'{file.Path}' is not read, and nothing in it was run: {fault.Message}; "
                    + "if you trust the file, load it in PyTorch and save its state dictionary as safetensors.",
                file.Path,
                fault);
        }
        catch (InvalidDataException fault)
        {
            ForeignWeights.ThrowIfForeign(file.Path);
            string message = $"'{file.Path}' is not a whole PyTorch file: {fault.Message}; copy or download it again.";
            throw new Gpt2Exception(Gpt2Error.NotAFormat, message, file.Path, fault);
        }
    }

    private static (TorchContent Content, Dictionary<string, TorchData> Data) ReadArchive(MappedFile file, CancellationToken cancellationToken)
    {
        IReadOnlyList<ZipEntry> entries = Zip.ReadDirectory(file, cancellationToken);
        ZipEntry[] pickles = [.. entries.Where(entry => entry.Name.EndsWith(PickleName, StringComparison.Ordinal))];
        if (pickles is not [ZipEntry pickle]) throw new InvalidDataException($"it has {pickles.Length} files {PickleName[1..]}");
        string folder = pickle.Name[..^(PickleName.Length - 1)], dataFolder = folder + "data/";
        if (entries.Any(entry => entry.Name == folder + ProgramName)) throw new NotSupportedException("it is a program of TorchScript");

        // PyTorch can be told to write none (torch.serialization.set_crc32_options).
        bool hasChecksums = entries.Any(entry => entry.Crc32 != 0);
        ZipEntry? order = entries.FirstOrDefault(entry => entry.Name == folder + "byteorder");
        if (order is not null && !ContentOf(file, order, hasChecksums).SequenceEqual("little"u8))
            throw new NotSupportedException("its numbers are big-endian");

        Dictionary<string, TorchData> data = new(StringComparer.Ordinal);
        foreach (ZipEntry entry in entries.Where(entry => entry.Name.StartsWith(dataFolder, StringComparison.Ordinal)))
        {
            var storage = new TorchData(entry.DataOffset, entry.Size, entry.IsDeflated, hasChecksums ? entry.Checksum : null);
            if (!data.TryAdd(entry.Name[dataFolder.Length..], storage)) throw new InvalidDataException($"it has '{entry.Name}' twice");
        }

        return (TorchContent.Of(TorchPickle.Read(ContentOf(file, pickle, hasChecksums), cancellationToken: cancellationToken).Content), data);
    }

    private static unsafe byte[] ContentOf(MappedFile file, ZipEntry entry, bool hasChecksum)
    {
        if (entry.Size > MaxPickleLength)
            throw new InvalidDataException($"its '{entry.Name}' has {entry.Size} bytes, where at most {MaxPickleLength} are expected");
        byte[] content = entry.IsDeflated
            ? Zip.Inflate(file, entry)
            : new ReadOnlySpan<byte>(file.Address(entry.DataOffset, entry.Size), (int)entry.Size).ToArray();
        uint crc = Crc32.Compute(content);
        if (hasChecksum && crc != entry.Crc32) throw new InvalidDataException($"the CRC-32 of '{entry.Name}' should be {entry.Crc32:x8}, but is {crc:x8}");
        return content;
    }
}
