using System.Text;
using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Numerics;
using PicoGpt.Tokens;

namespace PicoGpt.Testing;

/// <summary>
/// Writes a model folder of any GPT-2 shape with random weights: for tests and benchmarks, which care about the shape
/// and not about what the model says. The same seed gives the same bytes on every machine.
/// </summary>
public static class RandomModel
{
    // OpenAI's model.py initializes its matrices with this standard deviation.
    private const float StandardDeviation = 0.02f;

    private const int ByteSymbols = 256;

    /// <summary>
    /// Writes <c>hparams.json</c>, <c>encoder.json</c>, <c>vocab.bpe</c> and the checkpoint <c>model.ckpt</c> into a folder.
    /// The vocabulary has the 256 bytes, as many two-byte tokens as fit, and <c>&lt;|endoftext|&gt;</c> as its last token.
    /// </summary>
    /// <param name="folder">The folder; made when it does not exist.</param>
    /// <param name="hyperParameters">The shape; <c>n_vocab</c> from 257 to 65793.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <exception cref="ArgumentOutOfRangeException"><c>n_vocab</c> is outside its range.</exception>
    public static void Write(string folder, Gpt2HyperParameters hyperParameters, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(hyperParameters);
        ArgumentOutOfRangeException.ThrowIfLessThan(hyperParameters.NVocab, ByteSymbols + 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hyperParameters.NVocab, ByteSymbols + (ByteSymbols * ByteSymbols) + 1);
        Directory.CreateDirectory(folder);
        hyperParameters.Save(Path.Combine(folder, Gpt2HyperParameters.FileName));
        WriteVocabulary(folder, hyperParameters.NVocab);
        WriteWeights(Path.Combine(folder, "model.ckpt"), hyperParameters, seed);
    }

    /// <summary>Writes such a model into a folder of its own.</summary>
    /// <param name="hyperParameters">The shape.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <returns>The folder, which is deleted when it is disposed.</returns>
    public static TemporaryFolder InFolder(Gpt2HyperParameters hyperParameters, ulong seed = 1)
    {
        var folder = new TemporaryFolder();
        Write(folder.Path, hyperParameters, seed);
        return folder;
    }

    private static void WriteWeights(string prefix, Gpt2HyperParameters hyperParameters, ulong seed)
    {
        var random = new Random64(seed);
        float[] values = [];
        using var writer = new TensorBundleWriter(prefix);
        foreach (Gpt2Leaf leaf in Gpt2Architecture.Leaves(hyperParameters))
        {
            int count = checked((int)leaf.Count);
            if (values.Length < count) values = new float[count];
            Span<float> tensor = values.AsSpan(0, count);
            if (leaf.Kind == Gpt2LeafKind.Gain) tensor.Fill(1f);
            else if (leaf.Kind == Gpt2LeafKind.Bias) tensor.Clear();
            else Fill(tensor, random);
            writer.AddFloats(WeightNaming.TensorFlow.Of(leaf.Name), new TensorShape([.. leaf.Shape.Select(d => (long)d)]), tensor);
        }

        writer.Finish();
    }

    // The sum of four uniform 16-bit numbers is normal enough, and four times as fast as anything exact.
    private static void Fill(Span<float> values, Random64 random)
    {
        const float Scale = StandardDeviation * 1.7320508f / 65536f; // a uniform number of width 1 has the variance 1/12
        foreach (ref float value in values)
        {
            ulong bits = random.Next();
            int sum = (int)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48));
            value = (sum - (2 * 65535)) * Scale;
        }
    }

    private static void WriteVocabulary(string folder, int count)
    {
        string[] bytes = [.. ByteAlphabet.Characters.Select(c => c.ToString())];
        var encoder = new StringBuilder("{");
        var merges = new StringBuilder("#version: 0.2\n");
        for (int id = 0; id < count - 1; id++)
        {
            int pair = id - ByteSymbols;
            if (pair >= 0) merges.Append(bytes[pair / ByteSymbols]).Append(' ').Append(bytes[pair % ByteSymbols]).Append('\n');
            string symbol = pair < 0 ? bytes[id] : bytes[pair / ByteSymbols] + bytes[pair % ByteSymbols];
            string escaped = symbol.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            encoder.Append('"').Append(escaped).Append("\": ").Append(id).Append(", ");
        }

        encoder.Append('"').Append(Tokenizer.EndOfTextSymbol).Append("\": ").Append(count - 1).Append('}');
        File.WriteAllText(Path.Combine(folder, "encoder.json"), encoder.ToString());
        File.WriteAllText(Path.Combine(folder, "vocab.bpe"), merges.ToString());
    }
}
