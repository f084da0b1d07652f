using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Numerics;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>The bits of logits, measures and statistics are the same on every processor: pinned here, and computed again with instructions switched off.</summary>
public sealed class SameBitsEverywhereTests
{
    private const int Pinned = 5 + 1 + 1;

    [Theory]
    [InlineData(Gpt2Precision.Float32, "933eb2b3f923d1d53b09e0d9ae59e75d")]
    [InlineData(Gpt2Precision.Float16, "64a00e6adfe933acbd64c846d12aaa6b")]
    [InlineData(Gpt2Precision.BFloat16, "b9aea36a2c374108639860d6cf9add4f")]
    [InlineData(Gpt2Precision.Int8, "c57375b772224088d863cd205b3f4708")]
    [InlineData(Gpt2Precision.Int4, "429e5519facac60d9fe533f44613134f")]
    public void The_bits_of_the_logits_are_the_pinned_ones(Gpt2Precision precision, string pinned)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var context = new Gpt2Context(model.WithPrecision(precision));
        int[] ids = [.. Enumerable.Range(0, 12).Select(i => (i * 37) % 2048)];
        context.Forward(ids.AsSpan(0, 10));
        context.Forward(ids.AsSpan(10, 1));
        ReadOnlySpan<float> logits = context.Forward(ids.AsSpan(11));
        Assert.StartsWith(pinned, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(logits))), StringComparison.Ordinal);
    }

    [Fact]
    public void The_bits_of_statistics_are_the_pinned_ones()
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (WeightStatistics of in model.Parameters.Select(w => w.Statistics).Append(model.Parameters.Wte.Slice(":, 1:").Statistics))
        {
            double[] numbers = [of.Min, of.Max, of.Mean, of.StandardDeviation, of.Zeros, .. of.Histogram.SelectMany(bin => new[] { bin.Lower, bin.Count })];
            hash.AppendData(MemoryMarshal.AsBytes(numbers.AsSpan()));
        }

        Assert.StartsWith("7a892353f9d74792e987f41399b055e7", Convert.ToHexStringLower(hash.GetHashAndReset()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_bits_of_measures_are_the_pinned_ones()
    {
        using Gpt2Model model = BuiltInModel.Open();
        var options = new MeasureOptions { Top = 1 };
        Gpt2TextMeasure measure = TextMeasurer.Measure(model, "Once upon a time", options, TestContext.Current.CancellationToken);
        double[] numbers =
        [
            measure.Perplexity!.Value, measure.BitsPerCharacter!.Value,
            .. measure.Tokens.SelectMany(token => new[] { token.LogProbability!.Value, token.Entropy!.Value, token.Top[0].Probability }),
        ];
        string hash = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(numbers.AsSpan())));
        Assert.StartsWith("ec3daaace421936dd934c27fca4b75da", hash, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "0")]
    [InlineData("DOTNET_EnableAVX512F", "0")]
    [InlineData("DOTNET_EnableAVX512v2", "0")]
    [InlineData("DOTNET_EnableAVX2", "0")]
    [InlineData("DOTNET_EnableFMA", "0")]
    [InlineData("DOTNET_EnableHWIntrinsic", "0")]
    [InlineData("PICOGPT_SIMD", "256")]
    [InlineData("PICOGPT_SIMD", "128")]
    [InlineData("PICOGPT_SIMD", "plain")]
    public async Task They_are_with_instructions_switched_off_too(string variable, string value)
    {
        ProcessStartInfo start = ChildProcess.StartInfo("-class", typeof(SameBitsEverywhereTests).FullName!, "-method", "*.The_bits_of_*");
        start.Environment[variable] = value;
        using Process child = Process.Start(start)!;
        string output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains($"Total: {Pinned}", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_variable_chooses_the_kernels()
    {
        Assert.Equal("plain", Kernels.Choose("plain").Name);
        Assert.Equal(Kernels.All[0].Name, Kernels.Choose("no such width").Name);
        Assert.Equal(Kernels.All[0].Name, Kernels.Choose(null).Name);
    }
}
