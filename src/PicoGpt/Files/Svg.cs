using System.Globalization;
using System.Security;
using System.Text;

namespace PicoGpt.Files;

/// <summary>What all pictures in SVG have (W3C, "Scalable Vector Graphics 2").</summary>
internal static class Svg
{
    /// <summary>A picture on a background of the class <c>b</c>.</summary>
    public static string Document(double width, double height, string title, string description, string style, StringBuilder content) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:0}\" height=\"{height:0}\" viewBox=\"0 0 {width:0} {height:0}\" role=\"img\">\n")
        + $"<title>{Escape(title)}</title>\n<desc>{Escape(description)}</desc>\n"
        + $"<style>{style}</style>\n<rect class=\"b\" width=\"100%\" height=\"100%\"/>\n{content}</svg>\n";

    /// <summary>A line of letters, the class that its style names, and what else it has, such as <c>transform="…"</c>.</summary>
    public static string Text(double x, double y, string text, string kind = "", string attributes = "")
    {
        if (kind.Length > 0) attributes = $"class=\"{kind}\" {attributes}";
        return string.Create(CultureInfo.InvariantCulture, $"<text x=\"{x:0.##}\" y=\"{y:0.##}\" {attributes}>{Escape(text)}</text>\n");
    }

    /// <summary>A text within XML, which has neither control characters nor halves of characters (W3C, "Extensible Markup Language 1.0", section 2.2).</summary>
    public static string Escape(string text) => SecurityElement.Escape(string.Concat(text.EnumerateRunes().Select(Allowed)));

    private static Rune Allowed(Rune rune) => Rune.IsControl(rune) || rune.Value is 0xfffe or 0xffff ? Rune.ReplacementChar : rune;
}
