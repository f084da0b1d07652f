using PicoGpt.Inference;
using PicoGpt.Machine;
using PicoGpt.Numerics;
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

    [Theory]
    [InlineData(-1)]
    [InlineData(1025)] // where the system has no more threads, .NET ends the process
    public void Threads_that_no_machine_has_are_refused(int threads)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => Processors.CountFor(threads));
        Assert.Equal((Gpt2Error.InvalidArgument, $"Threads is {threads}; give 0 (one per physical core) to 1024."), (fault.Error, fault.Message));
        Assert.Equal((Processors.PhysicalCount, 3), (Processors.CountFor(0), Processors.CountFor(3)));
        using Gpt2Model model = BuiltInModel.Open();
        Assert.Throws<Gpt2Exception>(() => new Workspace(model.HyperParameters, threads, Kernels.Best));
    }

    [Fact]
    public void Where_nothing_tells_every_processor_counts()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(Environment.ProcessorCount, Processors.CountCores(folder.File("missing")));
        Assert.InRange(Processors.PhysicalCount, 1, Environment.ProcessorCount);
    }
}
