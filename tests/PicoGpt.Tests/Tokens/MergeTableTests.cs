using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class MergeTableTests
{
    [Fact]
    public void Both_ways_of_merging_agree_at_every_length()
    {
        MergeTable merges = VocabularyFiles.ReadMerges(Path.Combine(BuiltInModel.Folder, "vocab.bpe"));
        var random = new Random64(3);
        for (int length = 1; length < 300; length++)
        {
            byte letters = (byte)(1 + (random.Next() % 8)); // few letters make many overlapping merges
            int[] symbols = [.. Enumerable.Range(0, length).Select(_ => (int)('a' + (random.Next() % letters)))];
            Assert.Equal(Merged(merges.ApplyByScanning, symbols), Merged(merges.ApplyByQueue, symbols));
        }
    }

    [Fact]
    public void Merges_of_merges_that_stand_earlier_in_the_file_agree_too()
    {
        // A later merge may make what an earlier one needs: no trained vocabulary does that, but a file can.
        var merges = new MergeTable();
        string[] pairs = ["aa a", "a a", "aa aa", "b aa", "ab b", "a b"];
        for (int rank = 0; rank < pairs.Length; rank++) merges.Add(pairs[rank].Split(' ')[0], pairs[rank].Split(' ')[1], rank);
        var random = new Random64(4);
        for (int length = 1; length < 200; length++)
        {
            int[] symbols = [.. Enumerable.Range(0, length).Select(_ => random.Next() % 4 == 0 ? 'b' : (int)'a')];
            Assert.Equal(Merged(merges.ApplyByScanning, symbols), Merged(merges.ApplyByQueue, symbols));
        }
    }

    [Fact]
    public void Of_two_merges_of_one_pair_the_later_counts()
    {
        var merges = new MergeTable();
        merges.Add("a", "b", 0);
        merges.Add("b", "c", 1);
        merges.Add("a", "b", 2);
        Assert.Equal(["a", "bc"], Merged(merges.Apply, ['a', 'b', 'c']).Select(merges.SpellingOf));
    }

    private static int[] Merged(MergeFunction merge, int[] symbols)
    {
        int[] copy = [.. symbols];
        return copy[..merge(copy)];
    }

    private delegate int MergeFunction(Span<int> symbols);
}
