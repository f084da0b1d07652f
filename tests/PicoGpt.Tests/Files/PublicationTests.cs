using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Files;

public sealed class PublicationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_that_belong_together_replace_older_ones_and_leave_nothing_else()
    {
        File.WriteAllText(_folder.File("a"), "old a");
        using OutputFile a = Complete("a"), b = Complete("b");
        Publication.Of([a, b]);
        Assert.Equal(["new a", "new b"], Contents("a", "b"));
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Where_one_cannot_have_its_name_all_are_as_they_were(bool isFirst)
    {
        foreach (string name in (string[])["a", "c"]) File.WriteAllText(_folder.File(name), $"old {name}");
        string blocked = isFirst ? "a" : "c";
        using OutputFile a = Complete("a"), b = Complete("b"), c = Complete("c");
        File.Delete(_folder.File(blocked));
        Directory.CreateDirectory(_folder.File($"{blocked}/mine")); // a folder that came meanwhile cannot be moved aside as a file, nor replaced
        Assert.ThrowsAny<Exception>(() => Publication.Of([a, b, c]));
        string other = isFirst ? "c" : "a";
        Assert.Equal([$"old {other}"], Contents(other));
        Assert.True(Directory.Exists(_folder.File($"{blocked}/mine")));
        Assert.False(File.Exists(_folder.File("b")));
        foreach (OutputFile file in (OutputFile[])[a, b, c]) file.Dispose();
        Assert.Single(Directory.GetFiles(_folder.Path)); // no temporary one
    }

    [Fact]
    public void A_link_is_replaced_and_not_what_it_leads_to()
    {
        File.WriteAllText(_folder.File("precious"), "mine");
        Links.ToFile(_folder.File("a"), _folder.File("precious"));
        Links.ToFile(_folder.File("b"), _folder.File("nowhere"));
        using OutputFile a = Complete("a"), b = Complete("b");
        Publication.Of([a, b]);
        Assert.Equal(["new a", "new b", "mine"], Contents("a", "b", "precious"));
        Assert.Equal(3, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public void What_was_set_aside_and_could_not_be_deleted_goes_later()
    {
        string aside = TemporaryFiles.NewAsidePath(_folder.File("a"));
        File.WriteAllText(aside, "old");
        File.SetLastWriteTimeUtc(aside, DateTime.UtcNow.AddDays(-1));
        TemporaryFiles.RemoveOrphans(_folder.File("b"));
        Assert.True(File.Exists(aside)); // it may come back
        TemporaryFiles.RemoveOrphans(_folder.File("b"), DateTime.UtcNow.AddHours(1));
        Assert.False(File.Exists(aside));
    }

    private OutputFile Complete(string name)
    {
        var file = new OutputFile(_folder.File(name));
        file.Write(System.Text.Encoding.UTF8.GetBytes($"new {name}"));
        file.Complete();
        return file;
    }

    private IEnumerable<string> Contents(params string[] names) => names.Select(name => File.ReadAllText(_folder.File(name)));
}
