using System.Text;
using PicoGpt.Numerics;
using PicoGpt.Tokens;
using Xunit;

namespace PicoGpt.Tests.Tokens;

public sealed class SymbolTableTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    public void It_numbers_as_a_dictionary_of_strings_does(int capacity)
    {
        var random = new Random64(7);
        var table = new SymbolTable(capacity);
        Dictionary<string, int> expected = [];
        for (int i = 0; i < 20_000; i++)
        {
            string symbol = string.Create((int)(random.Next() % 12), random, (letters, source) =>
            {
                for (int k = 0; k < letters.Length; k++) letters[k] = (char)('a' + (source.Next() % 3));
            });
            Assert.Equal(expected.TryGetValue(symbol, out int known) ? known : -1, table.Find(Bytes(symbol)));
            expected.TryAdd(symbol, expected.Count);
            Assert.Equal(expected[symbol], table.NumberOf(Bytes(symbol)));
        }

        Assert.Equal(expected.Count, table.Count);
        foreach ((string symbol, int number) in expected) Assert.Equal(Bytes(symbol), table[number]);
    }

    [Fact]
    public void Symbols_of_any_length_are_told_apart()
    {
        var table = new SymbolTable(0);
        for (int length = 0; length < 3_000; length++) Assert.Equal(length, table.NumberOf(Bytes(new string('x', length))));
        for (int length = 0; length < 3_000; length++) Assert.Equal(length, table.Find(Bytes(new string('x', length))));
        Assert.Equal(-1, table.Find([0]));
    }

    [Fact]
    public void Zeros_and_eight_bytes_at_once_are_told_apart()
    {
        var table = new SymbolTable(0);
        for (int length = 0; length < 40; length++) Assert.Equal(length, table.NumberOf(new byte[length]));
        Assert.Equal(40, table.NumberOf([0, 0, 0, 0, 0, 0, 0, 1]));
        Assert.Equal(41, table.NumberOf([1, 0, 0, 0, 0, 0, 0, 0]));
        Assert.Equal(8, table.Find(new byte[8]));
    }

    private static byte[] Bytes(string symbol) => Encoding.Latin1.GetBytes(symbol);
}
