using System.IO.MemoryMappedFiles;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

/// <summary>A page that its file has no longer: the system ends a process that reads it, unless somebody handles the fault.</summary>
public sealed unsafe class FaultHandlerTests : IDisposable
{
    private const int Pages = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public FaultHandlerTests()
    {
        _path = _folder.File("weights");
        File.WriteAllBytes(_path, [.. Enumerable.Repeat((byte)7, Pages * Environment.SystemPageSize)]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_page_that_is_missing_reads_as_zeros_is_noted_and_leaves_the_others_as_they_are()
    {
        Assert.SkipUnless(FaultHandler.IsActive, "The handler is made for Linux on x64 and ARM64.");
        long length = Pages * Environment.SystemPageSize;
        using MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(_path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = (byte*)view.SafeMemoryMappedViewHandle.DangerousGetHandle();
        FaultHandler.Range* range = FaultHandler.TryEnter(start, length);
        Assert.True(range is not null);
        Assert.Equal(7, start[length - 1]);
        Assert.Equal(0, range->IsHit);
        CutShort(Environment.SystemPageSize);
        Assert.Equal(0, new ReadOnlySpan<byte>(start + Environment.SystemPageSize, (int)length - Environment.SystemPageSize).IndexOfAnyExcept((byte)0) + 1);
        Assert.NotEqual(0, range->IsHit);
        Assert.Equal(7, start[0]);
        FaultHandler.Leave(range);
        Assert.Equal((nuint)0, range->End);
    }

    [Fact]
    public void What_was_computed_on_a_page_that_is_missing_is_not_let_out()
    {
        using var file = new MappedFile(_path);
        Assert.SkipUnless(FaultHandler.IsActive, "The handler is made for Linux on x64 and ARM64.");
        Assert.SkipUnless(file.IsLeased, "The system protects no mapping of this folder's files; they are copied instead.");
        byte* start = file.Address(0, file.Length);
        Assert.Equal(7, start[0]);
        using Task cut = Task.Run(() => CutShort(0), TestContext.Current.CancellationToken); // waits for the lease
        while (!cut.IsCompleted)
        {
            file.Watch(isPinned: false); // gives the lease back, as the system does after a while, though somebody still reads
            Thread.Yield();
        }

        Assert.Equal(0, start[file.Length - 1]);
        Assert.Equal(Gpt2Error.FileChanged, Assert.Throws<Gpt2Exception>(file.ThrowIfChanged).Error);
        Assert.Equal(Gpt2Error.FileChanged, Assert.Throws<Gpt2Exception>(() => { _ = file.Address(0, 1); }).Error);
    }

    [Fact]
    public void A_mapping_that_was_forgotten_leaves_its_place_in_the_table()
    {
        Assert.SkipUnless(FaultHandler.IsActive, "The handler is made for Linux on x64 and ARM64.");
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 2000; i++) Forget();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using var file = new MappedFile(_path);
        Assert.Equal(OperatingSystem.IsLinux() && file.IsLeased, file.IsLeased);
        Assert.Equal(7, *file.Address(5, 1));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        void Forget()
        {
            var forgotten = new MappedFile(_path);
            Assert.Equal(7, *forgotten.Address(0, 1));
            forgotten.LetGo();
        }
    }

    [Theory]
    [InlineData(0xEF53, true)]
    [InlineData(0x65735546, false)] // FUSE
    [InlineData(0x6969, false)] // NFS
    [InlineData(0xFF534D42, false)] // CIFS
    [InlineData(0x01021997, false)] // 9p
    public void Only_on_a_file_system_of_this_machine_a_lease_is_trusted(long type, bool isLocal) =>
        Assert.Equal(isLocal, LocalFileSystem.IsKnown(type));

    private void CutShort(long length)
    {
        using FileStream file = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
