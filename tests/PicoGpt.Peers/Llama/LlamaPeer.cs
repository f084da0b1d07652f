using System.Diagnostics;
using System.Numerics.Tensors;
using LLama;
using LLama.Native;

namespace PicoGpt.Peers.Llama;

/// <summary>llama.cpp, by the handles that LLamaSharp has of it: batches are decoded, and the greatest logit is taken, with no chain of samplers.</summary>
internal sealed class LlamaPeer : IPeer
{
    private readonly SafeLlamaModelHandle _model;
    private readonly SafeLLamaContextHandle _context;
    private readonly LLamaBatch _batch = new();
    private readonly int _threads;

    static LlamaPeer()
    {
        NativeLibraryConfig.All.WithLogCallback((_, _) => { });
        NativeApi.llama_empty_call(); // chooses the library for this processor, which the parameters' defaults need
    }

    /// <param name="path">The GGUF file.</param>
    /// <param name="context">The most positions of a text.</param>
    /// <param name="threads">Threads to compute with.</param>
    public LlamaPeer(string path, int context, int threads)
    {
        _threads = threads;
        _model = SafeLlamaModelHandle.LoadFromFile(path, LLamaModelParams.Default());
        _context = NewContext(context, texts: 1);
    }

    /// <summary>Has llama.cpp's own quantizer write a file.</summary>
    /// <param name="source">The GGUF file in float32.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="type">What it is to hold.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <returns>Whether it did.</returns>
    public static bool Quantize(string source, string path, LLamaFtype type, int threads) => LLamaQuantizer.Quantize(source, path, type, threads);

    public ReadOnlySpan<float> Read(int[] ids)
    {
        _context.MemoryClear(false);
        _batch.Clear();
        for (int i = 0; i < ids.Length; i++) _batch.Add(ids[i], i, LLamaSeqId.Zero, i == ids.Length - 1);
        return Decode(_context, ids.Length - 1);
    }

    public int[] Continue(int[] prompt, int count, Stopwatch clock)
    {
        int[] ids = new int[count + 1];
        ids[0] = TensorPrimitives.IndexOfMax(Read(prompt));
        clock.Start();
        for (int i = 0; i < count; i++)
        {
            _batch.Clear();
            _batch.Add(ids[i], prompt.Length + i, LLamaSeqId.Zero, logits: true);
            ids[i + 1] = TensorPrimitives.IndexOfMax(Decode(_context, 0));
        }

        clock.Stop();
        return ids;
    }

    public int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock)
    {
        int length = prompts[0].Length;
        using SafeLLamaContextHandle context = NewContext(length + count, prompts.Length);
        int[][] all = [.. prompts.Select(_ => new int[count])];
        _batch.Clear();
        for (int text = 0; text < prompts.Length; text++)
        {
            for (int i = 0; i < length; i++) _batch.Add(prompts[text][i], i, (LLamaSeqId)text, i == length - 1);
        }

        clock.Start();
        for (int position = 0; position < count; position++)
        {
            Decode(context, _batch.TokenCount - 1);
            int rowsOfText = _batch.TokenCount / prompts.Length;
            for (int text = 0; text < prompts.Length; text++)
                all[text][position] = TensorPrimitives.IndexOfMax<float>(context.GetLogitsIth((rowsOfText * (text + 1)) - 1));
            _batch.Clear();
            for (int text = 0; text < prompts.Length; text++) _batch.Add(all[text][position], length + position, (LLamaSeqId)text, logits: true);
        }

        clock.Stop();
        return all;
    }

    public void Dispose()
    {
        _context.Dispose();
        _model.Dispose();
    }

    // the logits after a row of the batch, [n_vocab]
    private ReadOnlySpan<float> Decode(SafeLLamaContextHandle context, int row)
    {
        DecodeResult result = context.Decode(_batch);
        if (result != DecodeResult.Ok) throw new InvalidOperationException($"llama.cpp says {result} of a batch of {_batch.TokenCount} tokens.");
        return context.GetLogitsIth(row);
    }

    private SafeLLamaContextHandle NewContext(int length, int texts)
    {
        LLamaContextParams parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)(length * texts);
        parameters.n_batch = parameters.n_ctx;
        parameters.n_seq_max = (uint)texts;
        parameters.n_threads = parameters.n_threads_batch = _threads;
        parameters.no_perf = true;
        return SafeLLamaContextHandle.Create(_model, parameters);
    }
}
