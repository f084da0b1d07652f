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
    private const int MinWidth = 40;

    private static readonly char[] Shades = [' ', '░', '▒', '▓', '█'];
    private static readonly (int R, int G, int B) Dark = (22, 27, 38), Look = (96, 165, 250), Lens = (15, 118, 110);

    /// <summary>The likeliest tokens of a prediction on one line.</summary>
    /// <param name="prediction">A prediction of the logit lens or a token's measure, from here or from another session.</param>
    /// <returns>Such as <c>' the' 12 %, ' a' 9.8 %</c>.</returns>
    public static string Top(PSObject prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        IEnumerable<string> tokens = ObjectReader.Items(prediction, "Top")
            .Select(token => $"'{VisibleText.Of(ObjectReader.Text(token, "Text"))}' {Percent(ProbabilityOf(token))}");
        return string.Join(", ", tokens);
    }

    /// <summary>What a trace has: the logit lens as a table, attention as a heatmap, the norms as numbers.</summary>
    /// <param name="trace">The trace, from here or from another session; that has no attention.</param>
    /// <param name="width">Columns of the screen.</param>
    /// <returns>Lines.</returns>
    public static string[] Draw(PSObject trace, int width)
    {
        ArgumentNullException.ThrowIfNull(trace);
        width = Math.Max(width, MinWidth);
        string[] labels = [.. ObjectReader.Items(trace, "Tokens").Select(LabelOf)];
        var lines = new List<string> { $"{Format.Visible($"{trace.Properties["Model"]?.Value}")} reads {labels.Length} {(labels.Length == 1 ? "token" : "tokens")}" };
        lines.AddRange(ObjectReader.Items(trace, "Interventions").Select(change => Format.Visible($"Changed: {change}")));
        DrawLens([.. ObjectReader.Items(trace, "LogitLens").Select(layer => ObjectReader.Items(layer).ToArray())], labels, width, lines);
        DrawNorms([.. ObjectReader.Items(trace, "ResidualNorms").Select(norms => ObjectReader.Items(norms).ToArray())], width, lines);
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
        IEnumerable<string> heads = shown.Select(layer => ScreenText.Fit($"layer {layer[0].Properties["Layer"].Value}", CellWidth));
        lines.Add($"{ScreenText.Fit("reads", LabelWidth)} {string.Concat(heads)}".TrimEnd());
        for (int t = 0; t < labels.Length; t++)
            lines.Add($"{ScreenText.Fit(labels[t], LabelWidth)} {string.Concat(shown.Select(layer => LensCell(layer[t])))}");
    }

    private static string LensCell(PSObject prediction)
    {
        PSObject token = ObjectReader.Items(prediction, "Top").First();
        double p = ProbabilityOf(token);
        string percent = string.Create(CultureInfo.InvariantCulture, $"{Math.Min(99, Math.Round(100 * p)),2}%");
        string text = $"{ScreenText.Fit(VisibleText.Of(ObjectReader.Text(token, "Text")), CellWidth - 5)} {percent}";
        return $"\e[38;2;240;245;245m{ScreenText.Background(ScreenText.Mix(Dark, Lens, p))}{text}{ScreenText.Reset} ";
    }

    private static void DrawNorms(PSObject[][] norms, int width, List<string> lines)
    {
        if (norms.Length == 0) return;
        const int NumberWidth = 7;
        IEnumerable<double> averages = norms.Select(positions => Math.Round(positions.Average(ObjectReader.Number), 1));
        string[] means = [.. averages.Select(mean => Format.Number(mean).PadLeft(NumberWidth))];
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
            var line = new StringBuilder(ScreenText.Fit(labels[t], LabelWidth)).Append(' ');
            for (int j = 0; j <= t; j++) line.Append(PatternCell(pattern[t, j]));
            lines.Add(line.Append(ScreenText.Reset).ToString());
        }

        if (shown < labels.Length) lines.Add($"The first {shown} of {labels.Length} tokens; -Html shows all.");
    }

    private static string PatternCell(float weight)
    {
        double shade = Math.Pow(float.IsFinite(weight) ? Math.Clamp(weight, 0, 1) : 0, 0.6);
        (int r, int g, int b) = ScreenText.Mix(Dark, Look, shade);
        char character = Shades[(int)Math.Round(shade * (Shades.Length - 1))];
        return string.Create(CultureInfo.InvariantCulture, $"\e[38;2;{r};{g};{b};48;2;{r};{g};{b}m{character}{character}");
    }

    private static void DrawActivations(Gpt2Trace trace, List<string> lines)
    {
        lines.Add("");
        lines.Add("Activations");
        foreach ((string name, float[,] values) in trace.Activations)
            lines.Add($"{ScreenText.Fit(name, LabelWidth + CellWidth)} {values.GetLength(0)} × {values.GetLength(1)}");
    }

    private static string Which(string word, IReadOnlyList<int> numbers) =>
        numbers.Count == 1 ? $"{word} {numbers[0]}" : $"mean of {numbers.Count} {word}s";

    // As many as there is room for, the first and the last among them.
    private static PSObject[][] Spread(PSObject[][] layers, int room)
    {
        if (layers.Length <= room) return layers;
        return [.. Enumerable.Range(0, room).Select(i => layers[(int)Math.Round(i * (layers.Length - 1.0) / Math.Max(1, room - 1))])];
    }

    private static string Percent(double p) => string.Create(CultureInfo.InvariantCulture, $"{100 * p:0.0} %");

    private static string LabelOf(PSObject token) =>
        VisibleText.Of(ObjectReader.Items(token, "Bytes").Select(value => (byte)ObjectReader.Number(value)).ToArray());

    private static double ProbabilityOf(PSObject token) => ObjectReader.Number(token, "Probability") ?? 0;
}
