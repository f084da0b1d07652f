using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace PicoGpt.Peers;

/// <summary>
/// What is measured: <c>10+40</c>, the tokens per second of 40 behind a prompt of 10, whose reading is not counted; <c>512</c>, the milliseconds in
/// which such a prompt is read; <c>32x10+40</c>, the tokens per second of 32 prompts together, their reading included.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Texts">How many texts.</param>
/// <param name="Prompt">The tokens of each prompt.</param>
/// <param name="Count">How many tokens follow; 0 for a prompt alone.</param>
internal sealed partial record Column(string Name, int Texts, int Prompt, int Count)
{
    private const int TokensOfOnePrompt = 640; // a shorter prompt is read so often that it comes to these

    /// <summary>Whether a smaller figure is the better one.</summary>
    public bool IsTime => Count == 0;

    /// <summary>Whether tokens follow one prompt.</summary>
    public bool IsOneText => Count > 0 && Texts == 1;

    /// <summary>The same with as few tokens as make a peer ready.</summary>
    public Column WarmUp => this with { Count = Math.Min(Count, 20) };

    /// <exception cref="ArgumentException">It is not one of the three.</exception>
    public static Column Parse(string name)
    {
        Match match = Pattern().Match(name);
        if (!match.Success || (match.Groups["texts"].Success && !match.Groups["count"].Success))
            throw new ArgumentException($"--columns {name} is not like 10+40, 512 or 32x10+40");
        return new Column(name, Number("texts", 1), Number("prompt", 1), Number("count", 0));

        int Number(string group, int otherwise) => match.Groups[group] is { Success: true } found ? int.Parse(found.Value, CultureInfo.InvariantCulture) : otherwise;
    }

    /// <summary>Measures a peer once.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="vocabulary">How many tokens the model knows.</param>
    /// <returns>Tokens per second, or milliseconds.</returns>
    public double Measure(IPeer peer, int vocabulary)
    {
        int[][] prompts = [.. Enumerable.Range(0, Texts).Select(text => Ids(Prompt, vocabulary, text))];
        var clock = new Stopwatch();
        if (Texts > 1)
        {
            peer.ContinueAll(prompts, Count, clock);
            return Texts * Count / clock.Elapsed.TotalSeconds;
        }

        if (Count > 0)
        {
            peer.Continue(prompts[0], Count, clock);
            return Count / clock.Elapsed.TotalSeconds;
        }

        int times = Math.Clamp(TokensOfOnePrompt / Prompt, 1, 10);
        clock.Start();
        for (int i = 0; i < times; i++) peer.Read(prompts[0]);
        return clock.Elapsed.TotalMilliseconds / times;
    }

    /// <summary>Ids of a prompt, which differ from those of other texts.</summary>
    public static int[] Ids(int count, int vocabulary, int text = 0) => [.. Enumerable.Range(0, count).Select(i => (int)(((i * 7919L) + (text * 1009L)) % vocabulary))];

    [GeneratedRegex(@"^((?<texts>[1-9]\d{0,3})x)?(?<prompt>[1-9]\d{0,5})(\+(?<count>[1-9]\d{0,5}))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
