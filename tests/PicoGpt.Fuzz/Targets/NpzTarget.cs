using System.IO.Compression;
using System.Text;
using PicoGpt.Checkpoints.Numpy;

namespace PicoGpt.Fuzz.Targets;

/// <summary>An npz file, stored or compressed.</summary>
internal sealed class NpzTarget : FuzzTarget
{
    private const string File = "m.npz";

    private readonly (string Name, byte[] Bytes)[] _arrays;

    public NpzTarget(string root)
        : base("npz", root)
    {
        using (var writer = new NpzWriter(Path.Combine(Folder, File))) ToyTensors.WriteTo(writer);
        Begin();
        using var archive = new ZipArchive(new MemoryStream(Good(File)));
        _arrays = [.. archive.Entries.Select(entry => (entry.FullName, ReadAll(entry)))];
    }

    public override string Read() => SourceReading.Read(Path.Combine(Folder, File));

    public override Mutant Mutate(Dice dice)
    {
        byte[] bytes = dice.Chance(0.3) ? Good(File) : Forge(dice);
        if (dice.Chance(0.6)) bytes = dice.Chance(0.5) ? ByteMutations.Change(bytes, dice) : ByteMutations.ChangeEnd(bytes, dice);
        return new Mutant([(File, bytes)], IsCovered: false);
    }

    // arrays that are not as they should be, under the right checksums of the archive
    private byte[] Forge(Dice dice)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            int bad = dice.Next(_arrays.Length + 1);
            for (int i = 0; i < _arrays.Length; i++)
            {
                (string name, byte[] bytes) = _arrays[i];
                CompressionLevel level = dice.Chance(0.6) ? CompressionLevel.Fastest : CompressionLevel.NoCompression;
                using Stream entry = archive.CreateEntry(i == bad && dice.Chance(0.1) ? _arrays[0].Name : name, level).Open();
                entry.Write(i == bad ? ChangeArray(bytes, dice) : bytes);
            }
        }

        return stream.ToArray();
    }

    private static byte[] ChangeArray(byte[] good, Dice dice)
    {
        if (dice.Chance(0.1)) return new byte[dice.Next(8) << dice.Next(20)]; // compressed it is a bomb
        if (dice.Chance(0.2)) return ByteMutations.Change(good, dice);
        const int Start = NpyHeader.FixedLength + sizeof(ushort);
        int length = BitConverter.ToUInt16(good, NpyHeader.FixedLength);
        byte[] dictionary = TextMutations.Change(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(good, Start, length).TrimEnd()), dice);
        byte[] size = BitConverter.GetBytes(unchecked((ushort)(dice.Chance(0.9) ? (ulong)dictionary.Length : dice.Number())));
        return [.. good.AsSpan(0, NpyHeader.FixedLength), .. size, .. dictionary, .. good.AsSpan(Start + length)];
    }

    private static byte[] ReadAll(ZipArchiveEntry entry)
    {
        using Stream stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
