using System.Text;
using PicoGpt.Store;

namespace PicoGpt.Fuzz.Targets;

/// <summary>The journal beside an unfinished download.</summary>
internal sealed class JournalTarget : FuzzTarget
{
    private const string File = "f.part.journal";
    private const string Part = "f.part";

    public JournalTarget(string root)
        : base("journal", root)
    {
        System.IO.File.WriteAllBytes(Path.Combine(Folder, Part), new byte[300]);
        System.IO.File.WriteAllText(
            Path.Combine(Folder, File),
            "picogpt download 1\nsource https://example.org/m/\nvalidator \"abc\"\nlength 300\ndone 0 100\ndone 200 250\ndone 90 120\n");
        Begin();
    }

    public override string Read()
    {
        using var part = new PartFile(Path.Combine(Folder, "f"));
        IReadOnlyList<ByteRange> missing = part.Missing(new DownloadOptions().ChunkSize);
        bool isSound = part.Length is null || (part.PrefixEnd <= part.Length && part.DoneLength + missing.Sum(range => range.Length) == part.Length);
        if (!isSound) throw new InvalidOperationException($"{part.DoneLength} bytes of {part.Length} are there, and {missing.Count} ranges missing");
        return $"{part.Source} {part.Validator} {part.Length} {part.DoneLength} {missing.Count}";
    }

    public override Mutant Mutate(Dice dice)
    {
        byte[] good = Good(File);
        if (dice.Chance(0.02)) good = [.. good, .. Encoding.ASCII.GetBytes(ManyRanges(dice))];
        return new Mutant([(File, dice.Chance(0.1) ? good : TextMutations.Change(good, dice)), (Part, Good(Part))], IsCovered: false);
    }

    private static string ManyRanges(Dice dice)
    {
        var text = new StringBuilder("length 99999999\n");
        int step = dice.Pick([-2, 2]), start = 1_000_000;
        for (int lines = dice.Next(60_000); lines > 0; lines--, start += step) text.Append($"done {start} {start + 1}\n");
        return text.ToString();
    }
}
