using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PicoGpt.Files;

/// <summary>
/// Puts a page together of what all pages have (<c>Files/Page</c>), of a body, a style and a script of its own, and of data. Its content security policy (W3C CSP3)
/// lets nothing run but the script, and nothing style but the style, that are named by their hashes.
/// </summary>
internal static partial class PageTemplate
{
    private const string Shared = "Files.Page.page";

    /// <summary>Writes a page.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="name">The name of the page's own parts without their endings, such as <c>Tracing.Page.trace</c>.</param>
    /// <param name="title">The title, as plain text.</param>
    /// <param name="facts">What stands beside it, as plain text.</param>
    /// <param name="writeData">Writes the data into the stream, as JSON in which every character that HTML knows is escaped.</param>
    /// <param name="with">Styles and scripts of other rooms that the page draws with, by their names.</param>
    public static void Write(Stream stream, string name, string title, string facts, Action writeData, params ReadOnlySpan<string> with)
    {
        string[] names = [Shared, .. with, name];
        string style = string.Concat(names.Select(part => Resource($"{part}.css"))), script = string.Concat(names.Select(part => Resource($"{part}.js")));
        Dictionary<string, string> parts = new()
        {
            ["{style-hash}"] = Hash(style),
            ["{script-hash}"] = Hash(script),
            ["{style}"] = style,
            ["{script}"] = script,
            ["{title}"] = WebUtility.HtmlEncode(title),
            ["{facts}"] = WebUtility.HtmlEncode(facts),
        };
        string[] page = Resource($"{Shared}.html").Replace("{body}", Resource($"{name}.html"), StringComparison.Ordinal).Split("{data}");
        stream.Write(Encoding.UTF8.GetBytes(Fill(page[0], parts)));
        writeData();
        stream.Write(Encoding.UTF8.GetBytes(Fill(page[1], parts)));
    }

    /// <summary>Writes a number of data, or <c>null</c>: JSON has no word for what weights with NaN make of everything.</summary>
    public static void WriteNumber(Utf8JsonWriter json, double? value, int digits)
    {
        if (value is { } known && double.IsFinite(known)) json.WriteNumberValue(Math.Round(known, digits));
        else json.WriteNullValue();
    }

    // All at once: what is filled in is not searched again.
    private static string Fill(string template, Dictionary<string, string> parts) =>
        Placeholder().Replace(template, match => parts[match.Value]);

    [GeneratedRegex(@"\{[a-z-]+\}")]
    private static partial Regex Placeholder();

    private static string Resource(string name)
    {
        using Stream stream = typeof(PageTemplate).Assembly.GetManifestResourceStream($"PicoGpt.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
