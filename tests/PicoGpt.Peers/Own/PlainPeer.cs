using System.Diagnostics;
using System.Numerics.Tensors;
using PicoGpt.Inference;

namespace PicoGpt.Peers.Own;

/// <summary>PicoGpt step by step: one token a pass, nothing guessed.</summary>
internal sealed class PlainPeer(Gpt2Model model, int threads) : IPeer
{
    private readonly Gpt2Context _context = new(model, threads);

    public ReadOnlySpan<float> Read(int[] ids)
    {
        _context.Truncate(0);
        return _context.Forward(ids);
    }

    public int[] Continue(int[] prompt, int count, Stopwatch clock)
    {
        int[] ids = new int[count + 1];
        ids[0] = TensorPrimitives.IndexOfMax(Read(prompt));
        clock.Start();
        for (int i = 0; i < count; i++) ids[i + 1] = TensorPrimitives.IndexOfMax(_context.Forward(ids.AsSpan(i, 1)));
        clock.Stop();
        return ids;
    }

    public int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock)
    {
        var options = new GenerationOptions { MaxTokens = count, IgnoreEndOfText = true, Threads = threads, Speculation = false };
        using var batch = new BatchGenerator(model, options, prompts.Length);
        foreach (int[] prompt in prompts) batch.Add(prompt);
        List<Gpt2Completion> completions = [];
        clock.Start();
        while (!batch.IsEmpty) completions.AddRange(batch.Advance());
        clock.Stop();
        return [.. completions.Select(completion => completion.Ids.ToArray())];
    }

    public void Dispose() => _context.Dispose();
}
