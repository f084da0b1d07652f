using PicoGpt.Tests.Store;
using Xunit;

namespace PicoGpt.Tests.Resources;

/// <summary>A model on a file system that a program serves: the system grants a lease there, which protects nothing.</summary>
public sealed class FuseTests : IDisposable
{
    // $0 is the folder that is served, $1 where; without trap the mount would outlive a test that fails.
    private const string Script = """
        command -v bindfs >/dev/null || { echo "skip: bindfs is not installed"; exit; }
        [ -w /dev/fuse ] || { echo "skip: /dev/fuse is not to be had"; exit; }
        bindfs -f --no-allow-other "$0" "$1" >/dev/null 2>&1 & served=$!
        trap 'fusermount3 -u "$1" 2>/dev/null || fusermount -u "$1" 2>/dev/null || umount "$1"; wait $served' EXIT
        for i in $(seq 100); do [ "$(stat -f -c %T "$1")" = fuseblk ] && break; kill -0 $served 2>/dev/null || break; sleep 0.1; done
        [ "$(stat -f -c %T "$1")" = fuseblk ] || { echo "skip: bindfs could not mount"; exit; }
        $PICOGPT $2 "$1" "$0/model.ckpt.data-00000-of-00001"; echo "exit $?"
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_a_file_that_is_cut_short_before_all_of_it_was_read_the_rest_is_refused_with_a_sentence()
    {
        string[] lines = Run("cut-unread");
        Assert.StartsWith("FileChanged ", lines[0], StringComparison.Ordinal);
        TestModel.AssertSentence(lines[0]);
        Assert.Equal(["exit 0"], lines[1..]);
    }

    [Fact]
    public void What_was_read_of_a_file_stays_as_it_was_when_it_is_cut_short() => Assert.Equal(["ok the same", "exit 0"], Run("cut-read"));

    private string[] Run(string work)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "bindfs is a program of Linux");
        string served = Directory.CreateDirectory(_folder.File("served")).FullName, at = Directory.CreateDirectory(_folder.File("at")).FullName;
        foreach (string file in Directory.EnumerateFiles(BuiltInModel.Folder)) File.Copy(file, Path.Combine(served, Path.GetFileName(file)));
        (_, string[] lines) = ResourceChild.Run(Script, served, at, work);
        Assert.SkipWhen(lines[0].StartsWith("skip: ", StringComparison.Ordinal), lines[0]["skip: ".Length..]);
        return lines;
    }
}
