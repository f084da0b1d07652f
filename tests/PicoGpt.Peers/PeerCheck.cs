using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using PicoGpt.Inference;
using PicoGpt.Peers.Own;

namespace PicoGpt.Peers;

/// <summary>
/// Whether a peer computes the same model, before anything of it is measured: its logits after some prompts lie as near to PicoGpt's in
/// float32 as its precision allows, and so does what it takes for the likeliest token, in a text by itself and in texts together.
/// </summary>
/// <param name="exact">The model in float32.</param>
/// <param name="threads">Threads to compute with.</param>
internal sealed class PeerCheck(Gpt2Model exact, int threads) : IDisposable
{
    private const int Prompt = 24, Texts = 4, Count = 6;

    // A chosen token may lie below the likeliest one by so many times the error: both have one, and are among the most extreme of the vocabulary.
    private const double MostErrors = 10;

    private readonly Gpt2Context _context = new(exact, threads);
    private readonly int _vocabulary = exact.HyperParameters.NVocab;

    /// <summary>Checks a peer.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="precision">How its matrices are held.</param>
    /// <returns>The root mean square of the logits' errors, as a share of the logits' own.</returns>
    /// <exception cref="InvalidDataException">It does not compute the model.</exception>
    public double Check(IPeer peer, Gpt2Precision precision)
    {
        int[][] prompts = [.. Enumerable.Range(0, Texts).Select(text => Column.Ids(Prompt, _vocabulary, text))];
        double error = ErrorOfLogits(peer, prompts), most = MostError(precision);
        if (!(error <= most)) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"the logits err by {error:G2} of their size, where {most:G2} is the most"));
        if (peer is GuessingPeer guessing)
        {
            if (!guessing.IsExact(prompts[0], Count * Texts)) throw new InvalidDataException("guessing changes the text");
            return error;
        }

        RequireLikeliest(prompts[0], peer.Continue(prompts[0], Count, new Stopwatch()), error);
        int[][] together = peer.ContinueAll(prompts, Count, new Stopwatch());
        for (int text = 0; text < Texts; text++) RequireLikeliest(prompts[text], together[text], error);
        return error;
    }

    public void Dispose() => _context.Dispose();

    private double ErrorOfLogits(IPeer peer, int[][] prompts)
    {
        double differences = 0, all = 0;
        foreach (int[] prompt in prompts)
        {
            ReadOnlySpan<float> given = peer.Read(prompt);
            _context.Truncate(0);
            ReadOnlySpan<float> expected = _context.Forward(prompt);
            if (given.Length != expected.Length) throw new InvalidDataException($"there are {given.Length} logits, where {expected.Length} are expected");
            for (int i = 0; i < expected.Length; i++)
            {
                differences += Math.Pow(given[i] - (double)expected[i], 2);
                all += Math.Pow(expected[i], 2);
            }
        }

        return Math.Sqrt(differences / all);
    }

    private void RequireLikeliest(int[] prompt, int[] ids, double error)
    {
        _context.Truncate(0);
        ReadOnlySpan<float> logits = _context.Forward(prompt);
        for (int i = 0; i < ids.Length; i++)
        {
            double size = TensorPrimitives.Norm(logits) / Math.Sqrt(logits.Length);
            double below = (TensorPrimitives.Max(logits) - logits[ids[i]]) / size;
            if (below > MostErrors * Math.Max(error, 1e-4)) throw new InvalidDataException($"token {i} behind the prompt, {ids[i]}, is not the likeliest");
            logits = _context.Forward(ids.AsSpan(i, 1));
        }
    }

    // Of rounded matrices, whatever rounds them, and of keys and values that llama.cpp holds in float16.
    private static double MostError(Gpt2Precision precision) => precision switch
    {
        Gpt2Precision.Float32 => 0.002,
        Gpt2Precision.Float16 => 0.005,
        Gpt2Precision.BFloat16 => 0.03,
        Gpt2Precision.Int8 => 0.05,
        _ => 0.4,
    };
}
