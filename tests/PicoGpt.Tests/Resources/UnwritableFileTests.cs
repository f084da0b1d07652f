using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Resources;

/// <summary>What the systems say of files that cannot be written, by the numbers of their documentation.</summary>
public sealed class UnwritableFileTests
{
    [Theory]
    [InlineData(0x80070020, Gpt2Error.InUse)] // ERROR_SHARING_VIOLATION
    [InlineData(0x80070021, Gpt2Error.InUse)] // ERROR_LOCK_VIOLATION
    [InlineData(0x800704C8, Gpt2Error.InUse)] // ERROR_USER_MAPPED_FILE
    [InlineData(0x80070070, Gpt2Error.DiskFull)] // ERROR_DISK_FULL
    [InlineData(0x80070005, Gpt2Error.Unwritable)] // ERROR_ACCESS_DENIED
    public void The_numbers_of_Windows_become_their_kinds(uint number, Gpt2Error expected) =>
        Assert.Equal(expected, UnwritableFile.Refused("path", new IOException("said", unchecked((int)number))).Error);
}
