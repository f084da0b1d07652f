using System.Globalization;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Store;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What the precisions cost against float32: the rms error of the logits over their rms on random weights, and on the built-in
/// model the cross-entropy of a text and how often the likeliest token is the same one.
/// </summary>
internal static class QualityTable
{
    // The beginning of "The Frog-Prince", as Edgar Taylor translated the Grimms in 1823.
    private const string Text =
        "One fine evening a young princess put on her bonnet and clogs, and went out to take a walk by herself in a wood; and when she came to a "
        + "cool spring of water, that rose in the midst of it, she sat herself down to rest a while. Now she had a golden ball in her hand, which was "
        + "her favourite plaything; and she was always tossing it up into the air, and catching it again as it fell. After a time she threw it up so "
        + "high that she missed catching it as it fell; and the ball bounded away, and rolled along upon the ground, till at last it fell down into "
        + "the spring. The princess looked into the spring after her ball, but it was very deep, so deep that she could not see the bottom of it.";

    public static void Run(TableOptions options, TextWriter output)
    {
        if (!Directory.Exists(options.Model)) RandomModel.Write(options.Model, options.Shape);
        using Gpt2Model random = Gpt2Model.Open(options.Model);
        using Gpt2Model tales = ModelStore.Default.Open(ModelCatalog.Resolve("3M"));
        int[] randomIds = [.. Enumerable.Range(0, 64).Select(i => (int)((i * 7919L) % random.HyperParameters.NVocab))];
        int[] talesIds = [.. tales.Encoder.Encode(Text).Take(tales.HyperParameters.NCtx)];
        float[] randomLogits = Logits(random, randomIds), talesLogits = Logits(tales, talesIds);
        output.WriteLine($"{options.Model}, {randomIds.Length} tokens; built-in 3M, {talesIds.Length} tokens");
        output.WriteLine("precision    rms error   cross-entropy, nats   same likeliest token");
        foreach (Gpt2Precision precision in Enum.GetValues<Gpt2Precision>())
        {
            double error = RelativeError(randomLogits, Logits(random.WithPrecision(precision), randomIds));
            float[] logits = Logits(tales.WithPrecision(precision), talesIds);
            double crossEntropy = CrossEntropy(tales.WithPrecision(precision)), agreement = Agreement(talesLogits, logits, talesIds.Length);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{precision,-10}{error,12:F5}{crossEntropy,22:F4}{agreement,22:P1}"));
        }
    }

    private static float[] Logits(Gpt2Model model, int[] ids)
    {
        using var context = new Gpt2Context(model);
        float[] logits = new float[ids.Length * model.HyperParameters.NVocab]; // [n_seq, n_vocab]
        context.Forward(ids, logits);
        return logits;
    }

    private static double RelativeError(float[] expected, float[] actual) =>
        Math.Sqrt(expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Sum() / expected.Sum(a => (double)a * a));

    // The first token is left out, as it was when the first of these tables was made.
    private static double CrossEntropy(Gpt2Model tales) =>
        TextMeasurer.Measure(tales, Text, new MeasureOptions { NoStartToken = true, Top = 0 }).CrossEntropy!.Value;

    private static double Agreement(float[] expected, float[] actual, int rows) =>
        expected.Chunk(expected.Length / rows).Zip(actual.Chunk(actual.Length / rows), (a, b) => Likeliest(a) == Likeliest(b) ? 1.0 : 0.0).Average();

    private static int Likeliest(float[] row) => Array.IndexOf(row, row.Max());
}
