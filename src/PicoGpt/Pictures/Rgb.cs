namespace PicoGpt.Pictures;

/// <summary>A colour of the sRGB colour space, 8 bits per channel.</summary>
internal readonly record struct Rgb(byte R, byte G, byte B)
{
    /// <summary>The colour as SVG and HTML write it: <c>#1f77b4</c>.</summary>
    public override string ToString() => $"#{R:x2}{G:x2}{B:x2}";
}
