using System.Globalization;
using PicoGpt.Architecture;

namespace PicoGpt.Benchmarks;

/// <summary>What the table is measured on.</summary>
/// <param name="Model">The folder of a model; where there is none, random weights of the shape are written there.</param>
/// <param name="Shape">The shape of a model to write.</param>
/// <param name="Threads">Threads to compute with.</param>
/// <param name="Precision">How the matrices are held.</param>
/// <param name="Figures">What is measured: open, start, decode, sample, prefill, kernels, loop, guess, loss, batch, circuits, train.</param>
/// <param name="Rounds">How often everything is measured; the table shows medians.</param>
internal sealed record TableOptions(string Model, Gpt2HyperParameters Shape, int Threads, Gpt2Precision Precision, IReadOnlyList<string> Figures, int Rounds)
{
    public static TableOptions Parse(string[] arguments)
    {
        string size = Value(arguments, "--size") ?? "124M";
        Gpt2HyperParameters shape = size switch
        {
            "124M" => new Gpt2HyperParameters(50257, 1024, 768, 12, 12),
            "355M" => new Gpt2HyperParameters(50257, 1024, 1024, 16, 24),
            "774M" => new Gpt2HyperParameters(50257, 1024, 1280, 20, 36),
            "1558M" => new Gpt2HyperParameters(50257, 1024, 1600, 25, 48),
            _ => throw new ArgumentException($"--size {size} is not one of 124M, 355M, 774M, 1558M"),
        };
        return new TableOptions(
            Value(arguments, "--model") ?? Path.Combine(Path.GetTempPath(), $"picogpt-bench-{size}"),
            shape,
            int.Parse(Value(arguments, "--threads") ?? $"{Environment.ProcessorCount}", CultureInfo.InvariantCulture),
            Enum.Parse<Gpt2Precision>(Value(arguments, "--precision") ?? nameof(Gpt2Precision.Float32), ignoreCase: true),
            (Value(arguments, "--figures") ?? "open,start,decode,sample,prefill,kernels,loop,guess,loss,batch,circuits,train").Split(','),
            int.Parse(Value(arguments, "--rounds") ?? "5", CultureInfo.InvariantCulture));
    }

    private static string? Value(string[] arguments, string name)
    {
        int at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
    }
}
