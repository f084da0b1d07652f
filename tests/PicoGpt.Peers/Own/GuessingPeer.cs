using System.Diagnostics;
using System.Runtime.ExceptionServices;
using PicoGpt.Inference;

namespace PicoGpt.Peers.Own;

/// <summary>PicoGpt as it generates by default: tokens are guessed, and the exact weights verify several in one pass.</summary>
/// <param name="model">The model.</param>
/// <param name="threads">Threads to compute with.</param>
/// <param name="temperature">0 for the likeliest token always; 1 for text that is sampled, and so does not soon repeat itself as a model of random weights does.</param>
internal sealed class GuessingPeer(Gpt2Model model, int threads, float temperature) : IPeer
{
    private readonly PlainPeer _plain = new(model, threads);

    public ReadOnlySpan<float> Read(int[] ids) => _plain.Read(ids);

    public int[] Continue(int[] prompt, int count, Stopwatch clock) => Continue(prompt, count, clock, isGuessed: true);

    /// <summary>Whether the text is the same without guessing.</summary>
    public bool IsExact(int[] prompt, int count) =>
        Continue(prompt, count, new Stopwatch(), isGuessed: true).SequenceEqual(Continue(prompt, count, new Stopwatch(), isGuessed: false));

    public int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock) => _plain.ContinueAll(prompts, count, clock);

    public void Dispose() => _plain.Dispose();

    private int[] Continue(int[] prompt, int count, Stopwatch clock, bool isGuessed)
    {
        var options = new GenerationOptions
        {
            MaxTokens = count + 1,
            IgnoreEndOfText = true,
            Threads = threads,
            Temperature = temperature,
            Seed = 1,
            Speculation = isGuessed,
        };
        using var batch = new BatchGenerator(model, options, batchSize: 1);
        batch.Add(prompt);
        IReadOnlyList<Gpt2Completion> done = [];
        while (batch.NewTokens == 0 && done.Count == 0) done = batch.Advance();
        clock.Start();
        while (done.Count == 0) done = batch.Advance();
        clock.Stop();
        if (done[0].Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
        return [.. done[0].Ids];
    }
}
