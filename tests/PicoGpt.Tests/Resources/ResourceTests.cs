using System.Globalization;
using System.Text.Json;
using PicoGpt.Tests.Store;
using Xunit;

namespace PicoGpt.Tests.Resources;

/// <summary>Short of room, of rights, of a home, of memory: one sentence, nothing half-written, and the next run works.</summary>
public sealed class ResourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _source;
    private readonly string _catalog;

    public ResourceTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the means that these tests have are Linux's");
        _source = _folder.File("source");
        TestModel.WriteTo(Path.Combine(_source, "Tiny"));
        _catalog = _folder.File("catalog.json");
        File.WriteAllText(_catalog, JsonSerializer.Serialize(TestModel.Catalog));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_disk_that_becomes_full_at_any_place_of_the_work_leaves_nothing_wrong()
    {
        // A disk of its own, which no other process sees and which goes with the last one that has it.
        const string Script = """
            unshare --mount --map-root-user true 2>/dev/null || { echo skip; exit; }
            unshare --mount --map-root-user bash -c 'mount -t tmpfs -o size=1500k none "$0" || { echo skip; exit; }; $PICOGPT full-disk "$0" "$1"' "$0" "$1"
            """;
        string disk = Directory.CreateDirectory(_folder.File("disk")).FullName;
        (int exitCode, string[] lines) = ResourceChild.Run(Script, disk, _source);
        Assert.SkipWhen(lines is ["skip", ..], "no disk can be mounted here");
        Assert.True(exitCode == 0 && lines.Length == 1, string.Join("\n", lines));
        string[] counts = [.. lines[0].Split(", ").Select(count => count.Split(' ')[^1])];
        Assert.Equal(9, counts.Length);
        Assert.All(counts, count => Assert.InRange(int.Parse(count, CultureInfo.InvariantCulture), 2, 30));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public void A_file_that_may_not_become_so_long_is_told_and_leaves_nothing(int kilobytes)
    {
        // Without the trap the signal of the limit would end the process; $1 is the folder of the model, $2 that of the results.
        const string Script = """
            trap '' XFSZ; ulimit -f "$0"; mkdir -p "$2"
            $PICOGPT export "$1" "$2/Npz" Npz -- export "$1" "$2/Safetensors" Safetensors -- export "$1" "$2/TensorFlow" TensorFlow \
                -- fetch "$3" "$2/root" "$4" -- pack "$1"
            """;
        string results = _folder.File("results"), model = Path.Combine(_source, "Tiny");
        (_, string[] lines) = Run(Script, kilobytes.ToString(CultureInfo.InvariantCulture), model, results, _catalog, new Uri(_source).AbsoluteUri);
        Assert.Equal(5, lines.Length);
        Assert.All(lines[..4], line => AssertSays("Unwritable", line));
        Assert.Equal("ok in memory", lines[4]);
        foreach (string format in new[] { "Npz", "Safetensors", "TensorFlow" }) Assert.False(Directory.Exists(Path.Combine(results, format)));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(model, "converted")));
        TestModel.AssertNothingWrong(Path.Combine(results, "root/Tiny"));
        (_, string[] next) = Run(Script, "unlimited", model, results, _catalog, new Uri(_source).AbsoluteUri);
        Assert.Equal(["ok", "ok", "ok", "ok", "ok in a file"], next);
        TestModel.AssertWhole(Path.Combine(results, "root/Tiny"));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_read_and_says_so_where_that_does_not_do()
    {
        // $0 has a whole model, $1 a part of one; both are made read-only for this process and its children alone.
        const string Script = """
            unshare --mount --map-root-user true 2>/dev/null || { echo skip; exit; }
            unshare --mount --map-root-user bash -c '
                for cache in "$0" "$1"; do mount --bind "$cache" "$cache" && mount -o remount,bind,ro "$cache" || { echo skip; exit; }; done
                $PICOGPT describe "$2" "$0" -- cached "$2" "$0" -- check "$2" "$0" -- fetch "$2" "$0" "$3" -- pack "$0/Tiny" -- remove "$2" "$0" \
                    -- describe "$2" "$1" -- cached "$2" "$1" -- fetch "$2" "$1" "$3" -- export "$0/Tiny" "$0/exported" Npz' "$0" "$1" "$2" "$3"
            """;
        string part = Directory.CreateDirectory(_folder.File("part")).FullName;
        Directory.CreateDirectory(Path.Combine(part, "Tiny"));
        File.WriteAllBytes(Path.Combine(part, "Tiny", TestModel.HParams), TestModel.Files[TestModel.HParams]);
        (_, string[] lines) = Run(Script, _source, part, _catalog, new Uri(_source).AbsoluteUri);
        Assert.SkipWhen(lines is ["skip", ..], "nothing can be mounted here");
        Assert.Equal(10, lines.Length);
        Assert.Equal(["ok Cached", "ok", "ok", "ok in memory"], [lines[0], .. lines[2..5]]);
        Assert.StartsWith("ok ", lines[1], StringComparison.Ordinal);
        AssertSays("Unwritable", lines[5]);
        Assert.EndsWith(": Read-only file system.", lines[5], StringComparison.Ordinal);
        Assert.Equal("ok Partial", lines[6]);
        AssertSays("ModelNotCached", lines[7]);
        AssertSays("Unwritable", lines[8]);
        AssertSays("Unwritable", lines[9]);
        TestModel.AssertWhole(Path.Combine(_source, "Tiny"));
        Assert.Single(Directory.EnumerateFileSystemEntries(part));
    }

    [Fact]
    public void What_another_user_may_not_read_or_write_is_named()
    {
        const string Script = """
            as=""; [ $(id -u) = 0 ] && as="setpriv --reuid=65534 --regid=65534 --clear-groups"
            chmod 755 "$0/.."; $as $PICOGPT describe "$1" "$0" >/dev/null 2>&1 || { echo skip; exit; }
            cd "$0/Tiny"
            for file in *; do chmod 000 $file; $as $PICOGPT open "$0/Tiny"; chmod 644 $file; done
            chmod 111 "$0/Tiny"; $as $PICOGPT open "$0/Tiny"
            chmod 000 "$0/Tiny"; $as $PICOGPT open "$0/Tiny"
            chmod 555 "$0/Tiny" "$0"; $as $PICOGPT cached "$1" "$0" -- fetch "$1" "$0" "$2" -- remove "$1" "$0" -- pack "$0/Tiny" -- export "$0/Tiny" "$0/exported" Npz
            chmod 755 "$0/Tiny" "$0"; chmod 000 checkpoint; chmod 555 "$0/Tiny"; $as $PICOGPT open "$0/Tiny/model.ckpt"
            chmod 755 "$0/Tiny"; chmod 644 *
            """;
        (_, string[] lines) = Run(Script, _source, _catalog, new Uri(_source).AbsoluteUri);
        Assert.SkipWhen(lines is ["skip", ..], "no other user can be had who may run this");
        string[] files = [.. TestModel.Files.Keys.Order(StringComparer.Ordinal)];
        Assert.Equal(files.Length + 8, lines.Length);
        foreach ((string file, string line) in files.Zip(lines))
        {
            AssertSays("Unreadable", line);
            Assert.Contains(file, line, StringComparison.Ordinal);
        }

        string[] rest = lines[files.Length..];
        Assert.StartsWith("ok ", rest[0], StringComparison.Ordinal);
        AssertSays("Unreadable", rest[1]);
        Assert.StartsWith("ok ", rest[2], StringComparison.Ordinal);
        Assert.Equal("ok", rest[3]);
        AssertSays("Unwritable", rest[4]);
        Assert.Equal("ok in memory", rest[5]);
        AssertSays("Unwritable", rest[6]);
        Assert.StartsWith("ok ", rest[7], StringComparison.Ordinal);
        TestModel.AssertWhole(Path.Combine(_source, "Tiny"));
    }

    [Theory]
    [InlineData("mkfifo")]
    [InlineData("ln -s /dev/zero")]
    [InlineData("ln -s .")]
    public void What_is_no_file_neither_blocks_nor_fills_the_memory(string make)
    {
        const string Script = """
            cd "$0/Tiny"
            for file in *; do mv $file ../kept; $1 $file; timeout 20 $PICOGPT open "$0/Tiny" || echo blocked; rm $file; mv ../kept $file; done
            """;
        (_, string[] lines) = Run(Script, _source, make);
        Assert.Equal(TestModel.Files.Count, lines.Length);
        foreach ((string file, string line) in TestModel.Files.Keys.Order(StringComparer.Ordinal).Zip(lines))
        {
            // Without merges the letters are tokens, and hparams.json and the file checkpoint are not needed where they are folders.
            if (line.StartsWith("ok ", StringComparison.Ordinal)) Assert.Contains(file, new[] { "vocab.bpe", TestModel.HParams, "checkpoint" });
            else Assert.Matches("^(NotAFormat|Truncated|FileNotFound|Unreadable) .*" + file.Split('.')[0], line);
        }
    }

    [Theory]
    [InlineData("-u HOME -u XDG_CACHE_HOME")]
    [InlineData("HOME= XDG_CACHE_HOME=")]
    [InlineData("HOME=/nonexistent/home XDG_CACHE_HOME=relative")]
    [InlineData("-u XDG_CACHE_HOME HOME=relative")]
    public void Without_a_home_the_cache_is_not_in_the_current_folder_and_the_built_in_model_runs(string environment)
    {
        (_, string[] lines) = Run($"cd \"$0\"; env -u PICOGPT_HOME {environment} $PICOGPT root -- built-in", _folder.Path);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("ok /", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, lines[0], StringComparison.Ordinal);
        Assert.StartsWith("ok ", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_temporary_folder_is_not_needed()
    {
        string target = _folder.File("exported");
        (_, string[] lines) = Run(
            "TMPDIR=/nonexistent $PICOGPT open \"$0/Tiny\" -- fetch \"$1\" \"$2.root\" \"$3\" -- export \"$0/Tiny\" \"$2\" Npz -- pack \"$0/Tiny\"",
            _source,
            _catalog,
            target,
            new Uri(_source).AbsoluteUri);
        Assert.Equal(["ok", "ok", "ok in a file"], lines[1..]);
        TestModel.AssertWhole($"{target}.root/Tiny");
    }

    [Fact]
    public void A_file_for_which_there_are_no_addresses_is_named()
    {
        string target = _folder.File("exported");
        (_, string[] lines) = Run(
            """
            $PICOGPT export "$0/Tiny" "$1" Safetensors -- export "$0/Tiny" "$1.npz" Npz; cd "$0/Tiny"
            truncate -s 4G *.data-*; truncate -s 4G "$1/model.safetensors"; truncate -s 4G "$1.npz"
            ulimit -v 2000000; export DOTNET_GCHeapHardLimit=0x4000000
            $PICOGPT open "$0/Tiny" -- open "$1" -- open "$1.npz"
            """,
            _source,
            target);
        Assert.Equal(["ok", "ok"], lines[..2]);
        Assert.Equal(5, lines.Length);
        Assert.All(lines[2..], line => AssertSays("InsufficientMemory", line));
    }

    private static (int ExitCode, string[] Lines) Run(string script, params IEnumerable<string> arguments) => ResourceChild.Run(script, arguments);

    private static void AssertSays(string error, string line)
    {
        Assert.StartsWith(error + " ", line, StringComparison.Ordinal);
        TestModel.AssertSentence(line);
    }
}
