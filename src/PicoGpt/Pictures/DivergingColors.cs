namespace PicoGpt.Pictures;

/// <summary>
/// Colours around zero: blue below, nearly white at zero, red above. Equal steps of a value are equal steps to the eye, and values of
/// equal magnitude are equally dark, because the colours lie on straight lines in the OKLab space (B. Ottosson, "A perceptual color
/// space for image processing", 2020).
/// </summary>
internal static class DivergingColors
{
    private const double NeutralLightness = 0.97;
    private const double EndLightness = 0.45;
    private const double EndChroma = 0.17;
    private const double BlueHue = 262;
    private const double RedHue = 27;

    /// <summary>The colour of NaN.</summary>
    public static Rgb NotANumber { get; } = new(0x2c, 0xa0, 0x2c);

    /// <summary>The colour of a value.</summary>
    /// <param name="value">From −1 to 1; what is beyond has the colour of the end.</param>
    public static Rgb Of(double value)
    {
        if (double.IsNaN(value)) return NotANumber;
        double magnitude = Math.Min(Math.Abs(value), 1);
        double hue = (value < 0 ? BlueHue : RedHue) * Math.PI / 180, chroma = EndChroma * magnitude;
        double lightness = NeutralLightness + ((EndLightness - NeutralLightness) * magnitude);
        return FromOkLab(lightness, chroma * Math.Cos(hue), chroma * Math.Sin(hue));
    }

    private static Rgb FromOkLab(double lightness, double a, double b)
    {
        double l = Cube(lightness + (0.3963377774 * a) + (0.2158037573 * b));
        double m = Cube(lightness - (0.1055613458 * a) - (0.0638541728 * b));
        double s = Cube(lightness - (0.0894841775 * a) - (1.2914855480 * b));
        return new Rgb(
            Channel((4.0767416621 * l) - (3.3077115913 * m) + (0.2309699292 * s)),
            Channel((-1.2684380046 * l) + (2.6097574011 * m) - (0.3413193965 * s)),
            Channel((-0.0041960863 * l) - (0.7034186147 * m) + (1.7076147010 * s)));
    }

    private static double Cube(double x) => x * x * x;

    // IEC 61966-2-1, from linear light
    private static byte Channel(double light)
    {
        double encoded = light <= 0.0031308 ? 12.92 * light : (1.055 * Math.Pow(light, 1 / 2.4)) - 0.055;
        return (byte)Math.Round(255 * Math.Clamp(encoded, 0, 1));
    }
}
