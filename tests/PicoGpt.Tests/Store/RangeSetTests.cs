using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class RangeSetTests
{
    [Fact]
    public void Random_changes_agree_with_an_array_of_bools()
    {
        var random = new Random(1);
        var set = new RangeSet();
        bool[] expected = new bool[100];
        for (int i = 0; i < 2000; i++)
        {
            int start = random.Next(100), end = Math.Min(100, start + random.Next(20));
            bool isAdded = random.Next(2) == 0;
            if (isAdded) set.Add(new ByteRange(start, end));
            else set.Remove(new ByteRange(start, end));
            Array.Fill(expected, isAdded, start, end - start);
            Assert.Equal(expected.Count(present => present), set.Count);
            int prefix = Array.IndexOf(expected, false);
            Assert.Equal(prefix < 0 ? 100 : prefix, set.PrefixEnd);
            ByteRange[] missing = [.. set.Missing(100, 16)];
            Assert.All(missing, range => Assert.Equal(range.Start / 16, (range.End - 1) / 16));
            Assert.Equal(
                Enumerable.Range(0, 100).Where(position => !expected[position]),
                missing.SelectMany(range => Enumerable.Range((int)range.Start, (int)range.Length)));
        }
    }
}
