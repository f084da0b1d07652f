using System.Text;
using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

/// <summary>The scanners of a vocabulary's usual files, beside the readers of every file.</summary>
public sealed class VocabularyScanTests
{
    private const int Cases = 20_000;

    [Fact]
    public void The_usual_files_are_read_in_one_pass()
    {
        byte[] json = File.ReadAllBytes(Path.Combine(BuiltInModel.Folder, "encoder.json")), lines = File.ReadAllBytes(Path.Combine(BuiltInModel.Folder, "vocab.bpe"));
        Assert.Equal(VocabularyFiles.ParseEncoder(json, "file"), Scanned(json));
        Assert.Equal(VocabularyFiles.ParseMerges(lines, "file").Pairs, ScannedMerges(lines)!);
    }

    [Theory]
    [InlineData("""{"a":0}""")]
    [InlineData(" {\n\t\"a\" : 0 ,\r\n \"b\":12345678} \n")]
    [InlineData("""{"\u0120the":7,"\\":1,"\"":2,"\/":3,"\u00e9É":4}""")]
    [InlineData("{\"Ġthe\":7,\"\u007f\":8}")]
    public void A_plain_object_is_read_in_one_pass(string json)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        Assert.Equal(VocabularyFiles.ParseEncoder(bytes, "file"), Scanned(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"a":0}x""")]
    [InlineData("""{"a":0,}""")]
    [InlineData("""{"a":0 "b":1}""")]
    [InlineData("""{"a":00}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":-1}""")]
    [InlineData("""{"a":1e2}""")]
    [InlineData("""{"a":1.0}""")]
    [InlineData("""{"a":1234567890123}""")]
    [InlineData("""{"a":0,"a":1}""")]
    [InlineData("""{"a":0,"\u0061":1}""")]
    [InlineData("""{"\ud83d\ude00":0}""")]
    [InlineData("""{"\u12g4":0}""")]
    [InlineData("""{"\n":0}""")]
    [InlineData("""{"☃":0}""")]
    [InlineData("{\"\n\":0}")]
    [InlineData("""{"a":0""")]
    [InlineData("""{"a""")]
    [InlineData("""{"a\""")]
    [InlineData("\uFEFF{\"a\":0}")]
    public void Whatever_else_it_is_is_left_to_the_reader_of_JSON(string json) => Assert.Null(Scanned(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("#version: 0.2\na b\nab c\n")]
    [InlineData("a b\n\n\nab c")]
    [InlineData("Ġ t\nĠt h\n# version\n")]
    [InlineData("#version")]
    [InlineData("")]
    public void Plain_lines_of_merges_are_read_in_one_pass(string lines)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(lines);
        Assert.Equal(VocabularyFiles.ParseMerges(bytes, "file").Pairs, ScannedMerges(bytes)!);
    }

    [Theory]
    [InlineData("a b\r\nab c\r\n")]
    [InlineData("a  b\n")]
    [InlineData("a b c\n")]
    [InlineData(" a\n")]
    [InlineData("a \n")]
    [InlineData("ab\n")]
    [InlineData("a b\n \n")]
    [InlineData("a ☃\n")]
    [InlineData("a b\n#version: 0.2\u2028")]
    [InlineData("#version\u00e9 a\n")]
    [InlineData("#version: 0.2\ra b\n")]
    [InlineData("a \u00ad\n")]
    public void Whatever_else_a_line_is_is_left_to_the_reader_of_lines(string lines) => Assert.Null(ScannedMerges(Encoding.UTF8.GetBytes(lines)));

    [Fact]
    public void Bytes_that_are_not_UTF8_are_left_to_the_reader_of_lines()
    {
        Assert.Null(ScannedMerges([(byte)'a', (byte)' ', 0xC1, 0x81]));
        Assert.Null(ScannedMerges([(byte)'a', (byte)' ', 0xC4]));
        Assert.Null(ScannedMerges([(byte)'a', (byte)' ', 0xC4, (byte)'a']));
        Assert.Null(Scanned([(byte)'{', (byte)'"', 0xC1, 0x81, (byte)'"', (byte)':', (byte)'0', (byte)'}']));
    }

    [Fact]
    public void Whatever_a_scanner_takes_the_reader_of_every_file_reads_the_same()
    {
        var random = new Random64(11);
        byte[] json = Encoding.UTF8.GetBytes("""{"a":0,"\u0120b": 12, "\\":3,"é" :4}"""), lines = Encoding.UTF8.GetBytes("#version: 0.2\na b\nĠ t\nab Ġt\n");
        ReadOnlySpan<byte> letters = "{}[]\",:\\u0129ab -.eE\n\r\t /\u0120\u00ad\u2028"u8;
        int taken = 0;
        for (int i = 0; i < Cases; i++)
        {
            byte[] bytes = Mutated(json, letters, random);
            if (Scanned(bytes) is { } ids)
            {
                taken++;
                Assert.Equal(VocabularyFiles.ParseEncoder(bytes, "file"), ids);
            }

            bytes = Mutated(lines, letters, random);
            if (ScannedMerges(bytes) is not { } pairs) continue;
            taken++;
            Assert.Equal(VocabularyFiles.ParseMerges(bytes, "file").Pairs, pairs);
        }

        Assert.InRange(taken, Cases / 20, 2 * Cases);
    }

    private static byte[] Mutated(byte[] file, ReadOnlySpan<byte> letters, Random64 random)
    {
        List<byte> bytes = [.. file];
        for (int change = (int)(random.Next() % 3); change >= 0; change--)
        {
            int at = (int)(random.Next() % (ulong)bytes.Count);
            byte letter = letters[(int)(random.Next() % (ulong)letters.Length)];
            switch (random.Next() % 3)
            {
                case 0: bytes[at] = letter; break;
                case 1: bytes.Insert(at, letter); break;
                default: bytes.RemoveAt(at); break;
            }
        }

        return [.. bytes];
    }

    private static Dictionary<string, int>? Scanned(byte[] json)
    {
        Dictionary<string, int> ids = [];
        return TokenIdScanner.TryRead(json, ids, TestContext.Current.CancellationToken) ? ids : null;
    }

    private static IEnumerable<(string Left, string Right)>? ScannedMerges(byte[] lines)
    {
        var merges = new MergeTable();
        return MergesScanner.TryRead(lines, merges, TestContext.Current.CancellationToken) ? merges.Pairs : null;
    }
}
