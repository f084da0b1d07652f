using System.Globalization;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Training;

/// <summary>The curves of losses as SVG (W3C, "Scalable Vector Graphics 2"), on a light background or a dark one, as the viewer's colours are.</summary>
internal static class LossSvg
{
    private const int Width = 900, Height = 460, Left = 64, Right = 24, Top = 76, Bottom = 48;

    private const string Style =
        "text{font:13px sans-serif;fill:#656b73}.b{fill:#fff}.h{font-weight:bold;font-size:16px;fill:#1f2328}.e{text-anchor:end}.m{text-anchor:middle}"
        + ".g{stroke:#e4e4df}.t{fill:none;stroke:#2563eb;stroke-width:1.5;opacity:.8}.v{fill:none;stroke:#c2410c;stroke-width:2}.p,.lv{fill:#c2410c}.lt{fill:#2563eb}"
        + "@media(prefers-color-scheme:dark){text{fill:#969da6}.b{fill:#191c20}.h{fill:#e6e8ea}.g{stroke:#2a2e34}.t{stroke:#60a5fa}.v{stroke:#fb923c}.p,.lv{fill:#fb923c}.lt{fill:#60a5fa}}";

    /// <summary>The picture.</summary>
    public static string Of(string title, string summary, IReadOnlyList<(int Step, double Loss)> losses, IReadOnlyList<ValidationLoss> validations)
    {
        double[] values = [.. losses.Select(point => point.Loss).Concat(validations.Select(point => point.Loss)).Where(double.IsFinite)];
        (double low, double high) = values.Length == 0 ? (0, 1) : (values.Min(), values.Max());
        if (high - low < 1e-3) (low, high) = (low - 0.5, high + 0.5);
        int last = Math.Max(1, losses.Count == 0 ? 1 : losses[^1].Step);
        var svg = new StringBuilder();
        svg.Append(Svg.Text(Left, 28, title, "h")).Append(Svg.Text(Left, 50, summary));
        foreach (double loss in Ticks(low, high))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"g\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(loss):0.0}\" y2=\"{Y(loss):0.0}\"/>\n");
            svg.Append(Svg.Text(Left - 8, Y(loss) + 4, loss.ToString("0.###", CultureInfo.InvariantCulture), "e"));
        }

        foreach (double step in Ticks(0, last)) svg.Append(Svg.Text(X(step), Height - Bottom + 22, step.ToString("0", CultureInfo.InvariantCulture), "m"));
        svg.Append(Svg.Text(Width - Right, Height - 8, "step; losses in nats", "e"));
        svg.Append(Svg.Text(Width - Right - 150, 28, "training", "e lt")).Append(Svg.Text(Width - Right, 28, "validation", "e lv"));
        svg.Append(Line("t", losses)).Append(Line("v", [.. validations.Select(point => (point.Step, point.Loss))]));
        foreach (ValidationLoss point in validations)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"p\" cx=\"{X(point.Step):0.0}\" cy=\"{Y(point.Loss):0.0}\" r=\"3\">");
            svg.Append(CultureInfo.InvariantCulture, $"<title>step {point.Step}: {point.Loss:F4}</title></circle>\n");
        }

        return Svg.Document(Width, Height, title, summary, Style, svg);

        double X(double step) => Left + ((Width - Left - Right) * step / last);

        double Y(double loss) => Top + ((Height - Top - Bottom) * (high - loss) / (high - low));

        string Line(string kind, IReadOnlyList<(int Step, double Loss)> points) => string.Create(
            CultureInfo.InvariantCulture,
            $"<polyline class=\"{kind}\" points=\"{string.Join(' ', points.Where(p => double.IsFinite(p.Loss)).Select(p => FormattableString.Invariant($"{X(p.Step):0.0},{Y(p.Loss):0.0}")))}\"/>\n");
    }

    /// <summary>Round numbers within a range: at most ten, a step of 1, 2 or 5 times a power of ten apart.</summary>
    internal static IEnumerable<double> Ticks(double low, double high)
    {
        double step = Math.Pow(10, Math.Floor(Math.Log10(high - low)));
        step *= (high - low) / step < 2 ? 0.2 : (high - low) / step < 5 ? 0.5 : 1;
        for (double i = Math.Ceiling(low / step); i * step <= high + (step * 1e-9); i++) yield return i * step;
    }
}
