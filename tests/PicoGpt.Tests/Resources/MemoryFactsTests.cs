using PicoGpt.Machine;
using Xunit;

namespace PicoGpt.Tests.Resources;

/// <summary>What Linux's files say of free memory, in the words of its documentation.</summary>
public sealed class MemoryFactsTests
{
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal)
    {
        ["/proc/meminfo"] = "MemTotal:       9000 kB\nMemFree:         100 kB\nMemAvailable:   8000 kB\n",
    };

    private long? Free => new MemoryFacts(_files.GetValueOrDefault).Free;

    [Fact]
    public void Where_nothing_else_is_told_it_is_the_machine_s() => Assert.Equal(8000 * 1024, Free);

    [Fact]
    public void Where_nothing_at_all_is_told_it_is_unknown()
    {
        _files["/proc/meminfo"] = "MemTotal:  9 kB\n";
        Assert.Null(Free);
        _files.Clear();
        Assert.Null(Free);
    }

    [Fact]
    public void A_control_group_of_the_second_version_leaves_its_limit_less_its_use_but_for_pages_of_files()
    {
        _files["/proc/self/cgroup"] = "0::/user/shell\n";
        Group("/sys/fs/cgroup/user/shell", "max\n", "100000\n");
        Assert.Equal(8000 * 1024, Free);
        Group("/sys/fs/cgroup/user", "1000000\n", "700000\n", "anon 400000\ninactive_file 200000\nactive_file 50000\n");
        Assert.Equal(550_000, Free);
        Group("/sys/fs/cgroup/user/shell", "500000\n", "600000\n");
        Assert.Equal(0, Free);
    }

    [Fact]
    public void A_control_group_of_the_first_version_does_too()
    {
        _files["/proc/self/cgroup"] = "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n";
        _files["/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes"] = "400000\n";
        _files["/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes"] = "300000\n";
        _files["/sys/fs/cgroup/memory/a/b/memory.stat"] = "inactive_file 1\nactive_file 1\ntotal_inactive_file 100000\ntotal_active_file 0\n";
        Assert.Equal(200_000, Free);
    }

    [Fact]
    public void In_a_container_the_group_of_the_host_s_name_is_the_root()
    {
        _files["/proc/self/cgroup"] = "0::/kubepods/pod1/c1\n";
        Group("/sys/fs/cgroup", "3000000\n", "1000000\n");
        Assert.Equal(2_000_000, Free);
    }

    [Fact]
    public void Limits_of_the_process_count_what_it_has_already()
    {
        _files["/proc/self/statm"] = "100 50 10 5 0 60 0\n";
        _files["/proc/self/limits"] = "Limit   Soft Limit  Hard Limit Units\nMax data size             unlimited            unlimited            bytes\n"
            + "Max address space         5000000              unlimited            bytes\n";
        Assert.Equal(5_000_000 - (100 * Environment.SystemPageSize), Free);
        _files["/proc/self/limits"] = "Max data size             300000            unlimited            bytes\n";
        Assert.Equal(300_000 - (60 * Environment.SystemPageSize), Free);
    }

    private void Group(string folder, string limit, string used, string statistics = "")
    {
        _files[$"{folder}/memory.max"] = limit;
        _files[$"{folder}/memory.current"] = used;
        _files[$"{folder}/memory.stat"] = statistics;
    }
}
