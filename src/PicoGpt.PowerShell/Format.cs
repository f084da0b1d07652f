using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Management.Automation;
using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell;

/// <summary>Units and words for the format views; values in properties stay raw.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Format
{
    private static readonly string[] ByteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];
    private static readonly string[] CountUnits = ["", "k", "M", "G"];

    /// <summary>A size such as <c>474.7 MiB</c>.</summary>
    /// <param name="bytes">Bytes.</param>
    /// <returns>Three or four digits and a unit.</returns>
    public static string Bytes(long bytes) => Scale(bytes, 1024, ByteUnits);

    /// <summary>A count such as <c>124.4 M</c>.</summary>
    /// <param name="count">The count.</param>
    /// <returns>Three or four digits and a unit.</returns>
    public static string Count(long count) => Scale(count, 1000, CountUnits).TrimEnd();

    /// <summary>A speed such as <c>332.7</c>.</summary>
    /// <param name="perSecond">How many a second.</param>
    /// <returns>One digit behind the point.</returns>
    public static string Rate(double perSecond) => perSecond.ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>A time such as <c>17 ms</c> or <c>2.5 s</c>.</summary>
    /// <param name="time">The time.</param>
    /// <returns>Milliseconds below a second, seconds from there on.</returns>
    public static string Time(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:F0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F1} s");

    /// <summary>Dimensions as <c>50257 × 768</c>.</summary>
    /// <param name="shape">The dimensions.</param>
    /// <returns>The text.</returns>
    public static string Shape(IEnumerable shape) => string.Join(" × ", shape.Cast<object>());

    /// <summary>A statistic such as <c>-0.01234</c>.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Four digits that count.</returns>
    public static string Number(double value) => value.ToString(Math.Abs(value) is >= 1e-3 and < 1e6 or 0 ? "0.####" : "0.###e0", CultureInfo.InvariantCulture);

    /// <summary>A tensor's histogram as one line, or why there is none.</summary>
    /// <param name="tensor">The tensor, from here or from another session.</param>
    /// <param name="explains">Whether a fault is told in its sentence, and not only in its word.</param>
    /// <returns>Such as <c>▁▂▅█▅▂▁</c> or <c>(Truncated)</c>.</returns>
    public static string? Sparkline(PSObject tensor, bool explains)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        try
        {
            return tensor.BaseObject is FloatTensor here ? here.Sparkline : tensor.Properties["Sparkline"]?.Value as string;
        }
        catch (Exception fault) when (fault is Gpt2Exception or ObjectDisposedException or IOException or UnauthorizedAccessException)
        {
            return explains ? fault.Message : $"({ErrorRecords.From(fault, null).FullyQualifiedErrorId})";
        }
    }

    /// <summary>What of a model is on this machine, in words.</summary>
    /// <param name="state">The name of the <see cref="ModelState"/>.</param>
    /// <param name="percent">How much of the model is here.</param>
    /// <returns>Such as <c>partial 40 %</c>.</returns>
    public static string State(string state, int percent) => state switch
    {
        nameof(ModelState.BuiltIn) => "built in",
        nameof(ModelState.Cached) => "cached",
        nameof(ModelState.Partial) => $"partial {percent} %",
        _ => "not fetched",
    };

    /// <summary>Text on one line, control characters made visible.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The text with <c>\n</c>, <c>\t</c>, <c>\x1b</c>, <c>\u202e</c> and the like for what has no shape of its own.</returns>
    public static string Visible(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return VisibleText.Spell(text, rune => rune.Value switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => VisibleText.Escape(rune),
        });
    }

    /// <summary>Text of several lines as it may go to a terminal: what commands it or rearranges its surroundings is spelled out.</summary>
    /// <param name="text">The text.</param>
    /// <returns>Text that cannot command the terminal; line ends, tabs, and joiners within words and emoji stay.</returns>
    public static string Printable(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return VisibleText.Printable(text);
    }

    /// <summary>Where a model's parameters are: a bar and what its parts mean, on two lines.</summary>
    /// <param name="attentions">Those of the attentions, with the norms before them.</param>
    /// <param name="mlps">Those of the feed-forward networks, with the norms before them.</param>
    /// <param name="count">All of them.</param>
    /// <returns>Such as <c>█████▓▓▓░░░░░</c> and <c>embeddings 32 %, attention 23 %, mlp 46 %</c>.</returns>
    public static string ParameterBar(long attentions, long mlps, long count)
    {
        const int Length = 40;
        double attention = (double)attentions / count, mlp = (double)mlps / count, embeddings = 1 - attention - mlp;
        int first = (int)Math.Round(Length * embeddings), second = (int)Math.Round(Length * (embeddings + attention));
        string bar = new string('█', first) + new string('▓', second - first) + new string('░', Length - second);
        return string.Create(
            CultureInfo.InvariantCulture, $"{bar}{Environment.NewLine}█ embeddings {embeddings:P0}, ▓ attention {attention:P0}, ░ mlp {mlp:P0}");
    }

    private static string Scale(double value, double step, string[] units)
    {
        int unit = 0;
        while (value >= step && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }

        return unit == 0
            ? $"{value.ToString("0", CultureInfo.InvariantCulture)} {units[0]}"
            : $"{value.ToString("0.0", CultureInfo.InvariantCulture)} {units[unit]}";
    }
}
