using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Tokens;
using PicoGpt.Tracing;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>
/// Lets a parameter take what is or has a text, from here or from another session: texts, files, completions, tokens, rows of a table.
/// The one place that says what an object means where a text is wanted; about_PicoGpt_Pipeline lists it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TextInputAttribute : ArgumentTransformationAttribute
{
    private const string Deserialized = "Deserialized.";
    private const string Wanted = "pipe texts, files, completions, tokens, or objects with a property Text or Prompt.";

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => Unwrap(inputData) is IList list and not IDictionary
        ? list.Cast<object?>().Select(Read).ToArray()
        : new[] { Read(inputData) };

    private static TextInput Read(object? given) => Unwrap(given) switch
    {
        TextInput input => input,
        string text => OfString(text, PSObject.AsPSObject(given!)),
        FileSystemInfo file => new TextInput(file) { File = file.FullName },
        Gpt2Completion or GeneratedToken or Gpt2Piece or Gpt2Token or Gpt2TokenMeasure or Gpt2TextMeasure or Gpt2Trace =>
            OfOurs(PSObject.AsPSObject(given!), Unwrap(given)!.GetType().FullName!) ?? throw Refused(given),
        PSCustomObject => OfRow((PSObject)given!) ?? throw Refused(given),
        null => throw new ArgumentTransformationMetadataException($"No text was given; {Wanted}"),
        ValueType value and (char or IFormattable) and not Enum => OfString(LanguagePrimitives.ConvertTo<string>(value), null),
        IDictionary => throw Refused(given),
        _ when TextOf(PSObject.AsPSObject(given!)) is { } found => found,
        _ => throw Refused(given),
    };

    // Get-Content notes where a line is from.
    private static TextInput OfString(string text, PSObject? noted) => new(text)
    {
        Text = text,
        Prompt = text,
        Source = noted is null ? null : TextAt(noted, "PSPath"),
        Line = noted?.Properties["ReadCount"]?.Value is { } count && Unwrap(count) is long or int ? Convert.ToInt32(Unwrap(count), CultureInfo.InvariantCulture) : 0,
    };

    private static TextInput? OfRow(PSObject row)
    {
        string type = row.TypeNames.FirstOrDefault(name => name.StartsWith(Deserialized, StringComparison.Ordinal))?[Deserialized.Length..] ?? "";
        if (type == typeof(FileInfo).FullName || type == typeof(DirectoryInfo).FullName)
            return TextAt(row, "FullName") is { } path ? new TextInput(row) { File = path } : null;
        if (type.StartsWith("PicoGpt.", StringComparison.Ordinal)) return OfOurs(row, type) ?? TextOf(row);
        string? text = TextAt(row, "Text"), prompt = TextAt(row, "Prompt");
        if (text is not null || prompt is not null) return new TextInput(row) { Text = text ?? prompt, Prompt = prompt ?? text, Row = row };
        if (IdsAt(row, "PromptIds") is { } ids) return new TextInput(row) { Ids = ids, Row = row };
        return (TextAt(row, "PSPath") ?? TextAt(row, "FullName")) is { } file ? new TextInput(row) { File = file, Row = row } : null;
    }

    private static TextInput? OfOurs(PSObject given, string type)
    {
        string text = ObjectReader.Text(given, "Text");
        if (type == typeof(Gpt2Completion).FullName)
            return new TextInput(given) { Text = text, Prompt = ObjectReader.Text(given, "Prompt") + text, MadeWith = ObjectReader.Text(given, "Model") };
        if (type == typeof(Gpt2TextMeasure).FullName || type == typeof(Gpt2Trace).FullName)
            return new TextInput(given) { Text = text, Prompt = text, MadeWith = ObjectReader.Text(given, "Model"), Source = TextAt(given, "Path") };
        if (type == typeof(Gpt2Piece).FullName) return OfPiece(given, text);
        bool isFirst = ObjectReader.Number(given, "Index") is 0;
        if (type == typeof(Gpt2Token).FullName)
        {
            byte[] bytes = [.. ObjectReader.Items(given, "Bytes").Select(value => (byte)ObjectReader.Number(value))];
            return new TextInput(given) { Part = bytes, Ids = [(int)(ObjectReader.Number(given, "Id") ?? -1)], BeginsText = isFirst };
        }

        if (type == typeof(GeneratedToken).FullName)
        {
            return new TextInput(given)
            {
                Part = Encoding.UTF8.GetBytes(text),
                Ids = [(int)(ObjectReader.Number(given, "Id") ?? -1)],
                IsRough = text.Contains('\uFFFD', StringComparison.Ordinal),
                BeginsText = isFirst,
            };
        }

        return type == typeof(Gpt2TokenMeasure).FullName
            ? new TextInput(given) { Part = Encoding.UTF8.GetBytes(text), BeginsText = isFirst }
            : null;
    }

    // A piece continues the one before; the first continues the prompt.
    private static TextInput OfPiece(PSObject piece, string text)
    {
        bool isFirst = ObjectReader.Number(piece, "Position") is 0;
        return new TextInput(piece)
        {
            Part = Encoding.UTF8.GetBytes(text),
            BeginsText = isFirst,
            Prompt = isFirst ? ObjectReader.Text(piece, "Prompt") : null,
            MadeWith = ObjectReader.Text(piece, "Model"),
        };
    }

    private static TextInput? TextOf(PSObject given)
    {
        string? text = TextAt(given, "Text"), prompt = TextAt(given, "Prompt");
        return text is null && prompt is null ? null : new TextInput(given) { Text = text ?? prompt, Prompt = prompt ?? text };
    }

    // The ids of a prompt; what is not a whole number is not an id.
    private static int[]? IdsAt(PSObject row, string property)
    {
        if (row.Properties[property]?.Value is not { } value || Unwrap(value) is not IList list) return null;
        return [.. list.Cast<object?>().Select(item => Unwrap(item) is int or long or byte or short && LanguagePrimitives.TryConvertTo(item, out int id)
            ? id
            : throw new ArgumentTransformationMetadataException($"'{item}' in {property} is not the id of a token; whole numbers are expected."))];
    }

    private static string? TextAt(PSObject given, string property) =>
        (given.Properties[property]?.Value is { } value ? Unwrap(value) : null) as string;

    private static ArgumentTransformationMetadataException Refused(object? given)
    {
        object value = Unwrap(given)!;
        string what = value is PSCustomObject ? "An object" : $"'{value}' ({value.GetType().Name})";
        string model = value is Gpt2Model or Store.ModelInfo ? " To run a piped model give the texts as an argument." : "";
        return new ArgumentTransformationMetadataException($"{what} has no text; {Wanted}{model}");
    }
}
