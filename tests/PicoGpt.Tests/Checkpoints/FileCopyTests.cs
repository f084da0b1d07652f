using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed unsafe class FileCopyTests : IDisposable
{
    private const int Length = (7 << 19) + 13; // three pieces and a half, and an end at no border

    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _content = new byte[Length];
    private readonly string _path;

    public FileCopyTests()
    {
        new Random(1).NextBytes(_content);
        _path = _folder.File("weights");
        File.WriteAllBytes(_path, _content);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_range_is_that_of_the_file_in_whatever_order_and_from_several_threads()
    {
        using FileCopy copy = Open();
        var random = new Random(2);
        (int Start, int Length)[] ranges = [(0, 0), (0, 1), (Length - 1, 1), (Length, 0), (0, Length), .. Enumerable.Range(0, 200).Select(_ => Range(random))];
        random.Shuffle(ranges);
        Parallel.ForEach(ranges, range => Assert.True(Bytes(copy, range.Start, range.Length).SequenceEqual(_content.AsSpan(range.Start, range.Length))));
    }

    [Fact]
    public void A_copy_that_is_whole_closes_the_file_and_outlives_its_content()
    {
        FileStream file = File.OpenRead(_path);
        using var copy = new FileCopy(file, _path, Length);
        Assert.False(file.SafeFileHandle.IsClosed);
        _ = copy.Address(0, Length);
        Assert.True(file.SafeFileHandle.IsClosed);
        File.WriteAllBytes(_path, []);
        Assert.True(Bytes(copy, 0, Length).SequenceEqual(_content));
    }

    [Fact]
    public void A_file_that_changes_before_all_of_it_was_read_is_read_no_more_but_what_was_read_stays()
    {
        using FileCopy copy = Open();
        _ = copy.Address(5, 10);
        File.SetLastWriteTimeUtc(_path, File.GetLastWriteTimeUtc(_path).AddMilliseconds(1));
        Assert.Equal(Gpt2Error.FileChanged, Fault(copy, 2 << 20, 1).Error);
        Assert.True(Bytes(copy, 5, 10).SequenceEqual(_content.AsSpan(5, 10)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Length - 1)]
    [InlineData(Length + 1)]
    public void A_file_of_another_length_than_before_is_told(int length)
    {
        using FileCopy copy = Open();
        DateTime written = File.GetLastWriteTimeUtc(_path);
        using (FileStream writer = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) writer.SetLength(length);
        File.SetLastWriteTimeUtc(_path, written);
        Gpt2Exception fault = Fault(copy, 0, Length);
        Assert.Equal(Gpt2Error.FileChanged, fault.Error);
        Assert.Contains(_path, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_into_the_free_memory_is_refused_with_both_numbers_and_less_is_read()
    {
        using var copy = new FileCopy(File.OpenRead(_path), _path, Length, () => (64 + 2) << 20); // 64 MiB are left to the process
        Gpt2Exception fault = Fault(copy, 0, Length);
        Assert.Equal(Gpt2Error.InsufficientMemory, fault.Error);
        Assert.Contains("4 MiB of memory are needed, but only 2 MiB can be spared", fault.Message, StringComparison.Ordinal);
        Assert.True(Bytes(copy, 3 << 20, 10).SequenceEqual(_content.AsSpan(3 << 20, 10)));
    }

    [Fact]
    public void No_more_is_read_than_was_free_when_that_was_looked_at_last()
    {
        int looks = 0;
        using var copy = new FileCopy(File.OpenRead(_path), _path, Length, () =>
        {
            looks++;
            return (64 + 2) << 20;
        });
        for (int piece = 0; piece < 4; piece++)
        {
            _ = copy.Address(piece << 20, 1);
            Assert.Equal((piece / 2) + 1, looks);
        }
    }

    [Fact]
    public void A_length_for_which_there_are_no_addresses_is_refused_with_a_sentence()
    {
        using FileStream file = File.OpenRead(_path);
        var fault = Assert.Throws<Gpt2Exception>(() => new FileCopy(file, _path, long.MaxValue));
        Assert.Equal(Gpt2Error.InsufficientMemory, fault.Error);
    }

    [Fact]
    public void After_disposal_nothing_more_is_read()
    {
        FileCopy copy = Open();
        _ = copy.Address(0, 1);
        copy.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = copy.Address(2 << 20, 1); });
        File.Delete(_path);
    }

    private static (int Start, int Length) Range(Random random)
    {
        int start = random.Next(Length);
        return (start, random.Next(Length - start));
    }

    private static ReadOnlySpan<byte> Bytes(FileCopy copy, long offset, int length) => new(copy.Address(offset, length), length);

    private static Gpt2Exception Fault(FileCopy copy, long offset, long length) =>
        Assert.Throws<Gpt2Exception>(() => { _ = copy.Address(offset, length); });

    private FileCopy Open() => new(new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), _path, Length);
}
