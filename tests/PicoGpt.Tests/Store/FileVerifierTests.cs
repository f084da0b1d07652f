using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>A file of which neither size nor hash is known, and which cannot be read.</summary>
public sealed class FileVerifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("hparams.json", "{\"n_vocab\": ", "hparams.json is not valid JSON")]
    [InlineData("model.ckpt.index", "an index that is long enough to have a footer, which it has not", "model.ckpt.index (63 bytes) is not a TensorFlow checkpoint index")]
    public void What_is_wrong_with_it_is_said_by_its_name_and_what_to_do_is_left_to_who_asked_for_it(string name, string content, string reason)
    {
        string path = _folder.File(name + ".part");
        File.WriteAllText(path, content);
        RefetchFault fault = Assert.Throws<RefetchFault>(() => FileVerifier.VerifyFile(path, new CatalogFile(name, null, null), sha256: null));
        Assert.StartsWith(reason, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("again", fault.Message, StringComparison.Ordinal);
    }
}
