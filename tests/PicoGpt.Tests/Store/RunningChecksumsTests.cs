using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class RunningChecksumsTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(-2)]
    public void Bytes_in_any_pieces_give_the_tensor_that_is_damaged(int damagedByte)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File(TestModel.Index), TestModel.Files[TestModel.Index]);
        byte[] data = [.. TestModel.Files[TestModel.Data]];
        int position = damagedByte == -2 ? data.Length - 1 : damagedByte;
        if (position >= 0) data[position] ^= 1;
        RunningChecksums? checksums = RunningChecksums.TryCreate(folder.File(TestModel.Data));
        Assert.NotNull(checksums);
        var random = new Random(damagedByte);
        for (int start = 0, length; start < data.Length; start += length)
        {
            length = Math.Min(data.Length - start, random.Next(1, 40_000));
            checksums.Append(data.AsSpan(start, length));
        }

        Assert.Equal(position < 0 ? 0 : 1, checksums.Damaged.Count);
        Assert.All(checksums.Damaged, entry => Assert.InRange(position, entry.Offset, entry.Offset + entry.Size - 1));
        checksums.Reset();
        Assert.Equal(16, checksums.Damaged.Count);
    }
}
