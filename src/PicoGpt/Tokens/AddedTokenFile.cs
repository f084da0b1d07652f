using System.Globalization;
using System.Text.Json;

namespace PicoGpt.Tokens;

/// <summary>A JSON file of transformers that tells of tokens; one that does not exist tells nothing.</summary>
internal sealed class AddedTokenFile : IDisposable
{
    private readonly JsonDocument? _document;

    /// <param name="path">The file.</param>
    /// <param name="document">What is in it; <see langword="null"/> where it does not exist.</param>
    /// <exception cref="Gpt2Exception">It is not a JSON object.</exception>
    public AddedTokenFile(string path, JsonDocument? document)
    {
        (Path, _document) = (path, document);
        if (document is not null && document.RootElement.ValueKind != JsonValueKind.Object) throw Bad("is not a JSON object");
    }

    public string Path { get; }

    /// <summary>Whether it has a member of that name, which is not null.</summary>
    public bool Has(string name) => Member(name) is not null;

    /// <summary>A member; <see langword="null"/> where it has none of that name, or says null.</summary>
    public JsonElement? Member(string name) =>
        _document is not null && _document.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The members of the whole, or of the object that a member is.</summary>
    public IEnumerable<(string Name, JsonElement Value)> Members(string? name = null)
    {
        if ((name is null ? _document?.RootElement : Member(name)) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Object) throw Bad($"has a member {name} that is not an object");
        return value.EnumerateObject().Select(member => (member.Name, member.Value));
    }

    /// <summary>The items of a member that is a list, or the values of one that is an object.</summary>
    public IEnumerable<JsonElement> Items(string name) => Member(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
        { ValueKind: JsonValueKind.Object } named => named.EnumerateObject().Select(member => member.Value),
        _ => throw Bad($"has a member {name} that is not a list"),
    };

    /// <summary>A member that is true or false.</summary>
    public bool? Truth(string name) => Member(name)?.ValueKind switch
    {
        null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad($"has a member {name} that is neither true nor false"),
    };

    /// <summary>A member that is a text.</summary>
    public string? Text(string name) => Member(name) is { } value ? Text(value, name) : null;

    /// <summary>The id of a token.</summary>
    public int IdOf(string text, JsonElement id) => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int value) && value >= 0
        ? value
        : throw Bad($"gives '{text}' an id that is not a whole number from 0 on");

    /// <summary>A token: its text alone, or an object with its <c>content</c> and how it is found.</summary>
    /// <param name="token">The token.</param>
    /// <param name="id">Its id as text; <see langword="null"/> where the file does not tell it.</param>
    public AddedToken TokenOf(JsonElement token, string? id)
    {
        int number = 0;
        if (id is not null && !int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            throw Bad($"has a token with the id '{id}'; a whole number is expected");
        if (token.ValueKind == JsonValueKind.String) return new AddedToken(Text(token, "token"), number, IsSpecial: true);
        if (token.ValueKind != JsonValueKind.Object || !token.TryGetProperty("content", out JsonElement content)) throw Bad("has a token without its content");
        return new AddedToken(Text(content, "content"), number, IsSpecial: Flag("special", otherwise: id is null))
        {
            LStrip = Flag("lstrip"),
            RStrip = Flag("rstrip"),
            SingleWord = Flag("single_word"),
            Normalized = Flag("normalized"),
        };

        bool Flag(string name, bool otherwise = false) => token.TryGetProperty(name, out JsonElement flag) ? flag.ValueKind == JsonValueKind.True : otherwise;
    }

    /// <summary>The exception for what is wrong with it.</summary>
    public Gpt2Exception Bad(string what) => new(Gpt2Error.NotAFormat, $"'{Path}' {what}; copy or download it again.", Path);

    public void Dispose() => _document?.Dispose();

    private string Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"has a {name} that is not a text");
}
