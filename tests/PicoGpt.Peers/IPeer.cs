using System.Diagnostics;

namespace PicoGpt.Peers;

/// <summary>
/// A program that runs the same model on the same processors. One prompt after another: each call forgets what was read before.
/// </summary>
internal interface IPeer : IDisposable
{
    /// <summary>Reads a prompt.</summary>
    /// <param name="ids">The token ids, [n_seq].</param>
    /// <returns>The logits after the last of them, [n_vocab]; valid until the next call.</returns>
    ReadOnlySpan<float> Read(int[] ids);

    /// <summary>Reads a prompt and continues it with the likeliest token always, with a key/value cache.</summary>
    /// <param name="prompt">The prompt's ids.</param>
    /// <param name="count">How many tokens are read behind the prompt.</param>
    /// <param name="clock">Runs from the first token, which the prompt's reading gives, to the last.</param>
    /// <returns>The new ids, [count + 1].</returns>
    int[] Continue(int[] prompt, int count, Stopwatch clock);

    /// <summary>Reads several prompts of one length together, and continues each with the likeliest token always.</summary>
    /// <param name="prompts">The prompts' ids.</param>
    /// <param name="count">How many new tokens each gets.</param>
    /// <param name="clock">Runs while prompts are read and tokens are made.</param>
    /// <returns>The new ids of each, [prompts, count].</returns>
    int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock);
}
