using System.Globalization;
using PicoGpt.Tests.Store;
using Xunit;

namespace PicoGpt.Tests.Resources;

/// <summary>
/// A model of the 124M shape, 498 MB, in a control group that leaves less, whose file somebody has open for writing, so that it has to be
/// copied: refused with a sentence, and not ended by the system. A part of the long suite, because it writes that model.
/// </summary>
public sealed class ControlGroupTests(ControlGroupTests.LargeModel model) : IClassFixture<ControlGroupTests.LargeModel>
{
    // $0 are the bytes of the limit, $1 is the work, $2 the model's folder. In the first version a group below one's own can be made, in
    // the second, where a group that has processes has no groups with limits below it, one beside it.
    private const string Script = """
        first=$(sed -n 's/^[0-9]*:\(.*,\)\?memory\(,.*\)\?:\(.*\)$/\3/p' /proc/self/cgroup)
        second=$(sed -n 's/^0:://p' /proc/self/cgroup)
        if [ -n "$first" ]; then group="/sys/fs/cgroup/memory${first%/}/picogpt-test-$$"; limit=memory.limit_in_bytes
        else group="/sys/fs/cgroup${second%/*}/picogpt-test-$$"; limit=memory.max; fi
        mkdir "$group" 2>/dev/null || { echo skip; exit; }
        trap 'rmdir "$group"' EXIT
        { echo "$0" > "$group/$limit"; } 2>/dev/null || { echo skip; exit; }
        [ -e "$group/memory.swap.max" ] && echo 0 > "$group/memory.swap.max"
        exec 5<>"$2/model.ckpt.data-00000-of-00001"
        ( echo $BASHPID > "$group/cgroup.procs" && exec $PICOGPT $1 "$2" ); echo "exit $?"
        """;

    [Fact(Explicit = true)]
    public void That_there_is_no_memory_for_it_within_400_MB_is_told() => AssertRefused(Run(400, "open"));

    [Fact(Explicit = true)]
    public void Within_900_MB_one_runs() => Assert.Matches("^ok [0-9]+;exit 0$", string.Join(';', Run(900, "open")));

    [Fact(Explicit = true)]
    public void That_there_is_no_memory_for_a_second_one_within_900_MB_is_told() => AssertRefused(Run(900, "open-twice"));

    private string[] Run(int megabytes, string work)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "control groups are Linux's");
        (_, string[] lines) = ResourceChild.Run(Script, (megabytes * 1_000_000L).ToString(CultureInfo.InvariantCulture), work, model.Folder.Path);
        Assert.SkipWhen(lines is ["skip"], "no control group with a limit can be made here");
        return lines;
    }

    private static void AssertRefused(string[] lines)
    {
        Assert.StartsWith("InsufficientMemory ", lines[0], StringComparison.Ordinal);
        TestModel.AssertSentence(lines[0]);
        Assert.Equal(["exit 0"], lines[1..]);
    }

    /// <summary>The model, written once.</summary>
    public sealed class LargeModel : IDisposable
    {
        internal TemporaryFolder Folder { get; } = RandomModel.InFolder(Shapes.Gpt2Of124M);

        public void Dispose() => Folder.Dispose();
    }
}
