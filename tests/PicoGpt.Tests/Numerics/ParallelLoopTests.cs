using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

public class ParallelLoopTests
{
    [Fact]
    public void Every_index_is_met_once()
    {
        int[] counts = new int[1000];
        ParallelLoop.For(counts.Length, i => Interlocked.Increment(ref counts[i]));
        Assert.All(counts, count => Assert.Equal(1, count));
    }

    [Fact]
    public void A_fault_of_the_body_comes_out_as_it_is() =>
        Assert.Throws<InvalidDataException>(() => ParallelLoop.For(100, i => throw new InvalidDataException($"{i}")));
}
