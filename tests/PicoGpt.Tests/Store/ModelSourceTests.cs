using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class ModelSourceTests
{
    [Theory]
    [InlineData("https://example.org/models", "https://example.org/models/")]
    [InlineData("http://127.0.0.1:8000/", "http://127.0.0.1:8000/")]
    [InlineData("http://localhost/m", "http://localhost/m/")]
    [InlineData("http://[::1]:80/m", "http://[::1]/m/")]
    [InlineData("file:///mnt/models", "file:///mnt/models/")]
    public void Addresses_are_read(string address, string expected) => Assert.Equal(expected, ModelSource.Parse(address).ToString());

    [Theory]
    [InlineData("http://example.org/", "plain http")]
    [InlineData("http://127.0.0.1.example.org/", "plain http")]
    [InlineData("ftp://127.0.0.1/", "'ftp'")]
    [InlineData("models", "not an absolute address")]
    [InlineData("https://example.org/#a", "nothing may follow")]
    [InlineData("file:///mnt/models?a=b#c", "nothing may follow")]
    [InlineData(" ; ", "it is empty")]
    public void Other_addresses_are_refused(string list, string reason)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => ModelSource.ParseList(list));
        Assert.Equal(Gpt2Error.InvalidSource, fault.Error);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_keep_their_order() =>
        Assert.Equal(["https://b/", "https://a/"], ModelSource.ParseList("https://b; https://a;").Select(source => source.ToString()));
}
