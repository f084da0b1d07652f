using System.Globalization;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>Gives files from a folder.</summary>
internal sealed class FolderTransport : ITransport
{
    public Task<FilePart> OpenAsync(Uri address, ByteRange range, string validator, CancellationToken cancellationToken)
    {
        try
        {
            if (ReadableFile.HasNoLength(address.LocalPath))
                throw new SourceFault(Gpt2Error.DownloadFailed, $"'{address.LocalPath}' is empty, or is not a file but a pipe or a device");
            var file = new FileStream(
                address.LocalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1, useAsync: true);
            file.Seek(range.Start, SeekOrigin.Begin);
            string version = File.GetLastWriteTimeUtc(file.SafeFileHandle).Ticks.ToString(CultureInfo.InvariantCulture);
            return Task.FromResult(new FilePart(file, IsRange: true, file.Length, version, Owner: null));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            string reason = FileSystemFacts.OfThisMachine.IsMissing(fault) ? "does not exist" : $"cannot be read: {fault.Message}";
            throw new SourceFault(Gpt2Error.DownloadFailed, $"'{address.LocalPath}' {reason}", fault);
        }
    }

    public void Dispose()
    {
    }
}
