using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>
/// The text file <c>checkpoint</c>, which names the newest checkpoint of its folder (CheckpointState,
/// checkpoint_state.proto, in protocol buffers' text format).
/// </summary>
internal static partial class CheckpointState
{
    public const string FileName = "checkpoint";

    private const int MaxFileLength = 1024 * 1024;

    /// <summary>The value of <c>model_checkpoint_path</c>.</summary>
    public static string ReadModelCheckpointPath(string path)
    {
        ForeignFile.ThrowIfForeign(path);
        using FileStream file = ReadableFile.Open(path);
        using var reader = new StreamReader(file);
        Match match = file.Length <= MaxFileLength ? ModelCheckpointPath().Match(reader.ReadToEnd()) : Match.Empty;
        return match.Success
            ? Unescape(match.Groups["text"].Value)
            : throw new Gpt2Exception(
                Gpt2Error.NotAFormat,
                $"'{path}' names no checkpoint: it has no line like model_checkpoint_path: \"model.ckpt\".",
                path);
    }

    public static string Format(string modelCheckpointPath)
    {
        string escaped = modelCheckpointPath
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal);
        return $"model_checkpoint_path: \"{escaped}\"\nall_model_checkpoint_paths: \"{escaped}\"\n";
    }

    // The look-behind passes over all_model_checkpoint_paths.
    [GeneratedRegex("""(?<!\w)model_checkpoint_path\s*:\s*(?<quote>["'])(?<text>(?:\\.|(?!\k<quote>)[^\\\r\n])*)\k<quote>""")]
    private static partial Regex ModelCheckpointPath();

    [GeneratedRegex("""\\(?:(?<octal>[0-7]{1,3})|[xX](?<hex>[0-9a-fA-F]{1,2})|(?<other>.))""")]
    private static partial Regex Escape();

    /// <summary>
    /// Octal and hexadecimal escapes are bytes of UTF-8. An escape that the text format does not have stays as it is:
    /// hand-written Windows paths come with single backslashes.
    /// </summary>
    private static string Unescape(string text)
    {
        var bytes = new List<byte>();
        int position = 0;
        foreach (Match match in Escape().Matches(text))
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(text[position..match.Index]));
            bytes.AddRange(UnescapeOne(match));
            position = match.Index + match.Length;
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(text[position..]));
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static byte[] UnescapeOne(Match match)
    {
        string octal = match.Groups["octal"].Value, hex = match.Groups["hex"].Value, other = match.Groups["other"].Value;
        if (octal.Length > 0) return [(byte)Convert.ToInt32(octal, 8)];
        if (hex.Length > 0) return [byte.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture)];
        return Encoding.UTF8.GetBytes(other is "\\" or "\"" or "'" ? other : match.Value);
    }
}
