using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using PicoGpt.Tracing;

namespace PicoGpt.PowerShell;

/// <summary>
/// Draws traces for the format views. Attention has 24-bit colours, and under them characters of as much shade, which are what is left
/// where PowerShell takes the colours away.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TraceView
{
    private const int LabelWidth = 12;
    private const int CellWidth = 11;
    private const int PatternCellWidth = 2;
    private const int LeastWidth = 40;
    private const string Reset = "\e[0m";

    private static readonly char[] Shades = [' ', '░', '▒', '▓', '█'];
    private static readonly (int R, int G, int B) Dark = (22, 27, 38), Look = (96, 165, 250), Lens = (15, 118, 110);

    /// <summary>The likeliest tokens of a prediction on one line.</summary>
    /// <param name="prediction">A prediction, from here or from another session.</param>
    /// <returns>Such as <c>' the' 12 %, ' a' 9.8 %</c>.</returns>
    public static string Top(PSObject prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        IEnumerable<string> tokens = Items(prediction, "Top").Select(token => $"'{VisibleText.Of(TextOf(token))}' {Percent(ProbabilityOf(token))}");
        return string.Join(", ", tokens);
    }

    /// <summary>What a trace has: the logit lens as a table, attention as a heatmap, the norms as numbers.</summary>
    /// <param name="trace">The trace, from here or from another session; that has no attention.</param>
    /// <param name="width">Columns of the screen.</param>
    /// <returns>Lines.</returns>
    public static string[] Draw(PSObject trace, int width)
    {
        ArgumentNullException.ThrowIfNull(trace);
        width = Math.Max(width, LeastWidth);
        string[] labels = [.. Items(trace, "Tokens").Select(LabelOf)];
        var lines = new List<string> { $"{Format.Visible($"{trace.Properties["Model"]?.Value}")} reads {labels.Length} tokens" };
        DrawLens([.. Items(trace, "LogitLens").Select(layer => Items(layer))], labels, width, lines);
        DrawNorms([.. Items(trace, "ResidualNorms").Select(norms => Items(norms))], width, lines);
        if (trace.BaseObject is Gpt2Trace here)
        {
            if (here.Attention is not null) DrawAttention(here, labels, width, lines);
            if (here.Activations.Count > 0) DrawActivations(here, lines);
        }

        return [.. lines];
    }

    private static void DrawLens(PSObject[][] layers, string[] labels, int width, List<string> lines)
    {
        if (layers.Length == 0 || layers[0].Length == 0) return;
        PSObject[][] shown = Spread(layers, (width - LabelWidth - 1) / CellWidth);
        lines.Add("");
        lines.Add("Logit lens: what a layer would say next");
        IEnumerable<string> heads = shown.Select(layer => Fit($"layer {layer[0].Properties["Layer"].Value}", CellWidth));
        lines.Add($"{Fit("reads", LabelWidth)} {string.Concat(heads)}".TrimEnd());
        for (int t = 0; t < labels.Length; t++)
            lines.Add($"{Fit(labels[t], LabelWidth)} {string.Concat(shown.Select(layer => LensCell(layer[t])))}");
    }

    private static string LensCell(PSObject prediction)
    {
        PSObject token = Items(prediction, "Top")[0];
        double p = ProbabilityOf(token);
        string percent = string.Create(CultureInfo.InvariantCulture, $"{Math.Min(99, Math.Round(100 * p)),2}%");
        string text = $"{Fit(VisibleText.Of(TextOf(token)), CellWidth - 5)} {percent}";
        return $"\e[38;2;240;245;245m{Background(Dark, Lens, p)}{text}{Reset} ";
    }

    private static void DrawNorms(PSObject[][] norms, int width, List<string> lines)
    {
        if (norms.Length == 0) return;
        const int NumberWidth = 7;
        string[] means = [.. norms.Select(positions => Format.Number(Math.Round(positions.Average(Number), 1)).PadLeft(NumberWidth))];
        lines.Add("");
        lines.Add("Residual stream: mean norm of the input, and after each layer");
        lines.AddRange(means.Chunk(Math.Max(1, (width - 1) / NumberWidth)).Select(line => string.Concat(line)));
    }

    private static void DrawAttention(Gpt2Trace trace, string[] labels, int width, List<string> lines)
    {
        float[,] pattern = trace.MeanAttention();
        int shown = Math.Min(labels.Length, (width - LabelWidth - 1) / PatternCellWidth);
        lines.Add("");
        lines.Add($"Attention, {Which("layer", trace.Layers)}, {Which("head", trace.Heads)}: rows look at columns");
        for (int t = 0; t < shown; t++)
        {
            var line = new StringBuilder(Fit(labels[t], LabelWidth)).Append(' ');
            for (int j = 0; j <= t; j++) line.Append(PatternCell(pattern[t, j]));
            lines.Add(line.Append(Reset).ToString());
        }

        if (shown < labels.Length) lines.Add($"The first {shown} of {labels.Length} tokens; -Html shows all.");
    }

    private static string PatternCell(float weight)
    {
        double shade = Math.Pow(float.IsFinite(weight) ? Math.Clamp(weight, 0, 1) : 0, 0.6);
        (int r, int g, int b) = Mix(Dark, Look, shade);
        char character = Shades[(int)Math.Round(shade * (Shades.Length - 1))];
        return string.Create(CultureInfo.InvariantCulture, $"\e[38;2;{r};{g};{b};48;2;{r};{g};{b}m{character}{character}");
    }

    private static void DrawActivations(Gpt2Trace trace, List<string> lines)
    {
        lines.Add("");
        lines.Add("Activations");
        foreach ((string name, float[,] values) in trace.Activations)
            lines.Add($"{Fit(name, LabelWidth + CellWidth)} {values.GetLength(0)} × {values.GetLength(1)}");
    }

    private static string Which(string word, IReadOnlyList<int> numbers) =>
        numbers.Count == 1 ? $"{word} {numbers[0]}" : $"mean of {numbers.Count} {word}s";

    // As many as there is room for, the first and the last among them.
    private static PSObject[][] Spread(PSObject[][] layers, int room)
    {
        if (layers.Length <= room) return layers;
        return [.. Enumerable.Range(0, room).Select(i => layers[(int)Math.Round(i * (layers.Length - 1.0) / Math.Max(1, room - 1))])];
    }

    private static string Background((int R, int G, int B) from, (int R, int G, int B) to, double share)
    {
        (int r, int g, int b) = Mix(from, to, share);
        return string.Create(CultureInfo.InvariantCulture, $"\e[48;2;{r};{g};{b}m");
    }

    private static (int R, int G, int B) Mix((int R, int G, int B) from, (int R, int G, int B) to, double share)
    {
        return (Part(from.R, to.R), Part(from.G, to.G), Part(from.B, to.B));
        int Part(int a, int b) => (int)Math.Round(a + ((b - a) * Math.Clamp(share, 0, 1)));
    }

    private static string Percent(double p) => string.Create(CultureInfo.InvariantCulture, $"{100 * p:0.0} %");

    // A text in just so many columns of the screen.
    private static string Fit(string text, int columns)
    {
        var fitted = new StringBuilder();
        int taken = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int cells = IsWide(rune.Value) ? 2 : 1;
            if (taken + cells > columns) break;
            fitted.Append(rune.ToString());
            taken += cells;
        }

        return fitted.Append(' ', columns - taken).ToString();
    }

    // Roughly what Unicode's EastAsianWidth.txt calls wide.
    private static bool IsWide(int rune) => rune is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0x1F300 and <= 0x1FAFF) or >= 0x20000;

    private static PSObject[] Items(PSObject owner, string property) =>
        owner.Properties[property]?.Value is { } value ? Items(PSObject.AsPSObject(value)) : [];

    // The layers that were not asked for are null.
    private static PSObject[] Items(PSObject list) =>
        list.BaseObject is IEnumerable items ? [.. items.Cast<object?>().Where(item => item is not null).Select(PSObject.AsPSObject)] : [];

    private static string TextOf(PSObject token) => token.Properties["Text"]?.Value as string ?? "";

    private static string LabelOf(PSObject token) =>
        VisibleText.Of(Items(token, "Bytes").Select(value => Convert.ToByte(value.BaseObject, CultureInfo.InvariantCulture)).ToArray());

    private static double ProbabilityOf(PSObject token) => Number(PSObject.AsPSObject(token.Properties["Probability"]?.Value ?? 0.0));

    private static double Number(PSObject value) => Convert.ToDouble(value.BaseObject, CultureInfo.InvariantCulture);
}
