using PicoGpt.Numerics;
using Xunit;

namespace PicoGpt.Tests.Numerics;

public class WorkSharesTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(72, 2, 1)]
    [InlineData(2304, 2, 32)]
    [InlineData(50257, 3, 32)]
    [InlineData(768, 5, 32)]
    [InlineData(2, 8, 32)]
    [InlineData(0, 2, 32)]
    public void Every_element_is_taken_once_whoever_takes(int count, int parts, int grain)
    {
        var shares = new WorkShares();
        var random = new Random(1);
        foreach (bool areWhole in new[] { false, true })
        {
            shares.Divide(count, parts, grain, areWhole);
            int[] taken = new int[count];
            while (shares.TryTake(random.Next(parts), out WorkPiece some))
            {
                Assert.Equal(0, some.From % grain);
                Assert.True(some.To == count || some.To % grain == 0);
                for (int i = some.From; i < some.To; i++) taken[i]++;
            }

            Assert.All(taken, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Threads_that_take_at_once_leave_nothing_and_take_nothing_twice()
    {
        const int Threads = 4;
        const int Count = 4096;
        var shares = new WorkShares();
        int[] taken = new int[Count];
        var job = new Taking(shares, taken);
        using var pool = new WorkerPool(Threads);
        for (int round = 1; round <= 500; round++)
        {
            pool.Run(job);
            Assert.All(taken, times => Assert.Equal(round, times));
        }
    }

    [Fact]
    public void A_thread_takes_half_of_what_is_left_of_its_own_from_the_front_and_then_of_another_s_from_the_end()
    {
        var shares = new WorkShares();
        shares.Divide(16, 2);
        Assert.Equal([(1, 8, 12), (1, 12, 14), (1, 14, 15), (1, 15, 16), (0, 4, 8)], Take(shares, 1, 5));
        Assert.Equal([(0, 0, 2), (0, 2, 3), (0, 3, 4)], Take(shares, 0, 4));
    }

    [Fact]
    public void Whole_shares_and_those_of_a_single_thread_are_taken_at_once()
    {
        var shares = new WorkShares();
        shares.Divide(16, 2, areWhole: true);
        Assert.Equal([(0, 0, 8), (1, 8, 16)], Take(shares, 0, 3));
        shares.Divide(16, 1);
        Assert.Equal([(0, 0, 16)], Take(shares, 0, 2));
    }

    [Fact]
    public void Each_thread_may_be_given_all_elements_of_its_own()
    {
        var shares = new WorkShares();
        shares.GiveEach(40, 2, 16);
        Assert.Equal([(1, 0, 32), (1, 32, 40), (0, 16, 40)], Take(shares, 1, 3));
        Assert.Equal([(0, 0, 16)], Take(shares, 0, 2));
    }

    private static List<(int Owner, int From, int To)> Take(WorkShares shares, int part, int most)
    {
        List<(int, int, int)> taken = [];
        while (taken.Count < most && shares.TryTake(part, out WorkPiece some)) taken.Add((some.Owner, some.From, some.To));
        return taken;
    }

    private sealed class Taking(WorkShares shares, int[] taken) : Job
    {
        public override void Prepare(int parts) => shares.Divide(taken.Length, parts);

        public override void Execute(int part, int parts)
        {
            while (shares.TryTake(part, out WorkPiece some))
            {
                for (int i = some.From; i < some.To; i++) Interlocked.Increment(ref taken[i]);
            }
        }
    }
}
