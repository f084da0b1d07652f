using System.Globalization;
using PicoGpt.Inference;

namespace PicoGpt.PowerShell;

/// <summary>A setting of a session that can be changed between two turns: its name, its value as text, and how text becomes its value.</summary>
internal sealed record SessionSetting(string Name, Func<GenerationOptions, string> Show, Func<GenerationOptions, string, GenerationOptions> Change)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<SessionSetting> All { get; } =
    [
        Of("MaxTokens", o => o.MaxTokens, (o, v) => o with { MaxTokens = v }),
        Of("Temperature", o => o.Temperature, (o, v) => o with { Temperature = v }),
        Of("TopK", o => o.TopK, (o, v) => o with { TopK = v }),
        Of("TopP", o => o.TopP, (o, v) => o with { TopP = v }),
        Of("MinP", o => o.MinP, (o, v) => o with { MinP = v }),
        Of("RepetitionPenalty", o => o.RepetitionPenalty, (o, v) => o with { RepetitionPenalty = v }),
        new SessionSetting(
            "Seed",
            o => o.Seed?.ToString(CultureInfo.InvariantCulture) ?? "drawn",
            (o, text) => o with { Seed = text == "drawn" ? null : Parse<long>("Seed", text) }),
        new SessionSetting("Stop", o => string.Join(' ', o.Stop), (o, text) => o with { Stop = text.Length == 0 ? [] : [text] }),
    ];

    private static SessionSetting Of<T>(string name, Func<GenerationOptions, T> get, Func<GenerationOptions, T, GenerationOptions> set)
        where T : ISpanParsable<T>, IFormattable =>
        new(name, o => get(o).ToString(null, CultureInfo.InvariantCulture), (o, text) => set(o, Parse<T>(name, text)));

    private static T Parse<T>(string name, string text)
        where T : ISpanParsable<T> =>
        T.TryParse(text, CultureInfo.InvariantCulture, out T? value)
            ? value
            : throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"'{text}' is not a number that {name} can have.");
}
