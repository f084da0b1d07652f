using System.Globalization;

namespace PicoGpt.PowerShell;

/// <summary>Draws steps of trainings for the format views.</summary>
internal static class TrainingView
{
    private const int Width = 12, Parts = 8;
    private const string Blocks = " ▏▎▍▌▋▊▉█";

    /// <summary>A number as a bar of eighths of characters.</summary>
    /// <param name="value">The number.</param>
    /// <param name="full">What fills the bar.</param>
    public static string Bar(double value, double full)
    {
        if (!(full > 0) || !(value > 0)) return "";
        int eighths = (int)Math.Clamp(Math.Round(value / full * Width * Parts), 1, Width * Parts);
        int rest = eighths % Parts;
        return new string(Blocks[^1], eighths / Parts) + (rest > 0 ? Blocks[rest].ToString() : "");
    }

    /// <summary>A time in hours, minutes and seconds, as many hours as there are.</summary>
    public static string Hours(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours:00}:{time.Minutes:00}:{time.Seconds:00}");
}
