using PicoGpt.Inference;

namespace PicoGpt.Benchmarks;

/// <summary>
/// What a copy of the weights in memory of this process's own gives: the same text in turn from the mapped file, from a model just opened,
/// which copies meanwhile, and from the copy. The tokens must be the same.
/// </summary>
internal static class ResidentFigures
{
    public static void Measure(Gpt2Model model, TableOptions table, int[] prompt, Dictionary<string, double> figures)
    {
        foreach (bool speculation in (bool[])[false, true])
        {
            foreach (int count in (int[])[40, 100])
            {
                var options = new GenerationOptions
                {
                    MaxTokens = count,
                    IgnoreEndOfText = true,
                    Threads = table.Threads,
                    Speculation = speculation,
                    Temperature = speculation ? 1 : 0,
                    Seed = 1,
                };
                using var opened = Gpt2Model.Open(table.Model, precision: table.Precision);
                opened.Prepare();
                string row = $"{prompt.Length}+{count}{(speculation ? " sampled, guessed" : "")}";
                IReadOnlyList<int>? said = null;
                foreach ((string name, Gpt2Model one, bool? wish) in (IEnumerable<(string, Gpt2Model, bool?)>)[("mapped", model, false), ("just opened", opened, null), ("resident", model, true)])
                {
                    Gpt2Completion completion = GuessingFigures.Run(one, prompt, options with { Resident = wish });
                    figures[$"{row} {name}, tokens/s"] = completion.TokensPerSecond;
                    said ??= completion.Ids;
                    if (!said.SequenceEqual(completion.Ids)) throw new InvalidOperationException($"The text of {row} changed as its weights were {name}.");
                }
            }
        }
    }
}
