using System.Text;
using PicoGpt.Files;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public class ForeignFileTests
{
    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", Gpt2Error.LfsPointer)]
    [InlineData("\uFEFF<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code></Error>", Gpt2Error.ErrorBody)]
    [InlineData("\r\n<!doctype html><title>503</title>", Gpt2Error.ErrorBody)]
    [InlineData("<HTML><body>Not Found</body></HTML>", Gpt2Error.ErrorBody)]
    [InlineData("<Error><Code>NoSuchKey</Code></Error>", Gpt2Error.ErrorBody)]
    [InlineData("BlobNotFound: the specified blob does not exist", Gpt2Error.ErrorBody)]
    public void Foreign_text_is_recognized_and_quoted(string text, Gpt2Error kind)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("hparams.json");
        File.WriteAllText(path, text);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ForeignFile.ThrowIfForeign(path));
        Assert.Equal(kind, fault.Error);
        Assert.Equal(path, fault.Path);
        Assert.Contains(path, fault.Message, StringComparison.Ordinal);
        Assert.Contains(text.Trim('\uFEFF', '\r', '\n')[..15], fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"n_vocab\": 50257}")]
    [InlineData("#version: 0.2\nĠ t\n")]
    [InlineData("model_checkpoint_path: \"model.ckpt\"")]
    public void Proper_files_pass(string text) => ForeignFile.ThrowIfForeign("file", Encoding.UTF8.GetBytes(text));
}
