using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using PicoGpt.Architecture;

namespace PicoGpt.Peers.Onnx;

/// <summary>ONNX Runtime: a session whose inputs and outputs are bound to memory of their own, keys and values in place.</summary>
internal sealed class OnnxPeer : IPeer
{
    private readonly InferenceSession _session;
    private readonly OnnxTexts _alone;
    private readonly Gpt2HyperParameters _shape;

    /// <param name="path">The graph's file.</param>
    /// <param name="shape">The shape of the model.</param>
    /// <param name="threads">Threads to compute with.</param>
    public OnnxPeer(string path, Gpt2HyperParameters shape, int threads)
    {
        _shape = shape;
        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(path, options);
        _alone = new OnnxTexts(_session, shape, count: 1, shape.NCtx);
    }

    public ReadOnlySpan<float> Read(int[] ids)
    {
        _alone.Length = 0;
        return _alone.Run(ids);
    }

    public int[] Continue(int[] prompt, int count, Stopwatch clock)
    {
        int[] ids = new int[count + 1];
        ids[0] = TensorPrimitives.IndexOfMax(Read(prompt));
        clock.Start();
        for (int i = 0; i < count; i++) ids[i + 1] = TensorPrimitives.IndexOfMax(_alone.Run(ids.AsSpan(i, 1)));
        clock.Stop();
        return ids;
    }

    public int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock)
    {
        using var texts = new OnnxTexts(_session, _shape, prompts.Length, prompts[0].Length + count);
        int[][] all = [.. prompts.Select(_ => new int[count])];
        int[] read = [.. prompts.SelectMany(ids => ids)];
        clock.Start();
        for (int position = 0; position < count; position++)
        {
            ReadOnlySpan<float> logits = texts.Run(read); // [prompts, n_vocab]
            read = new int[prompts.Length];
            for (int text = 0; text < prompts.Length; text++)
                all[text][position] = read[text] = TensorPrimitives.IndexOfMax(logits.Slice(text * _shape.NVocab, _shape.NVocab));
        }

        clock.Stop();
        return all;
    }

    public void Dispose()
    {
        _alone.Dispose();
        _session.Dispose();
    }
}
