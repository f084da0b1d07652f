using System.Globalization;
using PicoGpt.Pictures;

namespace PicoGpt.PowerShell;

/// <summary>Draws steps of trainings for the format views.</summary>
internal static class TrainingView
{
    private const int Width = 12;

    /// <summary>A number as a bar.</summary>
    /// <param name="value">The number.</param>
    /// <param name="full">What fills the bar.</param>
    public static string Bar(double value, double full) => value > 0 && full > 0 ? TerminalPicture.Bar(Math.Min(value / full, 1), Width) : "";

    /// <summary>A time in hours, minutes and seconds, as many hours as there are.</summary>
    public static string Hours(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours:00}:{time.Minutes:00}:{time.Seconds:00}");
}
