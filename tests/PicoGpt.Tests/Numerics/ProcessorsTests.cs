using PicoGpt.Machine;
using Xunit;

namespace PicoGpt.Tests.Numerics;

public sealed class ProcessorsTests
{
    [Fact]
    public void Processors_that_share_a_core_count_once()
    {
        using var folder = new TemporaryFolder();
        string[] siblings = ["0,2", "1,3", "0,2", "1,3"];
        for (int cpu = 0; cpu < siblings.Length; cpu++)
        {
            Directory.CreateDirectory(folder.File($"cpu{cpu}/topology"));
            File.WriteAllText(folder.File($"cpu{cpu}/topology/thread_siblings_list"), siblings[cpu] + "\n");
        }

        Directory.CreateDirectory(folder.File("cpufreq"));
        Assert.Equal(2, Processors.CountCores(folder.Path));
    }

    [Fact]
    public void Where_nothing_tells_every_processor_counts()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(Environment.ProcessorCount, Processors.CountCores(folder.File("missing")));
        Assert.InRange(Processors.PhysicalCount, 1, Environment.ProcessorCount);
    }
}
