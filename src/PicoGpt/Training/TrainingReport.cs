using System.Globalization;
using System.Text;
using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Training;

/// <summary>
/// The curves of a training's losses: as one HTML page that needs nothing else, with what the model wrote on the way, or as a picture.
/// </summary>
/// <param name="run">The training, as far as it came.</param>
public sealed class TrainingReport(TrainingRun run)
{
    /// <summary>What the path of a picture ends in.</summary>
    public const string PictureExtension = ".svg";

    // More points than a screen has columns are no more to be seen.
    private const int MaxPoints = 2000;

    /// <summary>Writes it, and makes its folder where that is not there: the training is done, and what it came to is not lost for that.</summary>
    /// <param name="path">The full path: a picture where it ends in <c>.svg</c>, or else a page.</param>
    /// <param name="overwrite">Whether an older file is replaced.</param>
    /// <exception cref="Gpt2Exception">It cannot be written, or is there and is not to be replaced.</exception>
    public void Save(string path, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        bool isPicture = path.EndsWith(PictureExtension, StringComparison.OrdinalIgnoreCase);
        UnwritableFile.MakeFolderOf(path);
        OutputFile.Save(path, isPicture ? WritePicture : WritePage, overwrite);
    }

    /// <summary>The losses, as means over some steps where there are very many: the last step of each mean, and the mean.</summary>
    internal static IReadOnlyList<(int Step, double Loss)> Thin(IReadOnlyList<double> losses)
    {
        int size = ((losses.Count - 1) / MaxPoints) + 1;
        return [.. losses.Chunk(size).Select((chunk, i) => ((i * size) + chunk.Length, chunk.Average()))];
    }

    private string Title => VisibleText.Of($"Training of {run.Model.Name}");

    private string Summary => FormattableString.Invariant($"step {run.Step} of {run.Options.Steps}")
        + (run.Best is { } best ? FormattableString.Invariant($", least validation loss {best.Loss:F4} after step {best.Step}") : "");

    private void WritePicture(Stream stream) =>
        stream.Write(Encoding.UTF8.GetBytes(LossSvg.Of(Title, Summary, Thin(run.Losses), run.Validations)));

    private void WritePage(Stream stream) => PageTemplate.Write(stream, "Training.Page.training", Title, Summary, () => WriteData(stream));

    private void WriteData(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        WritePoints(json, "losses", Thin(run.Losses));
        WritePoints(json, "validations", run.Validations.Select(validation => (validation.Step, validation.Loss)));
        json.WriteStartArray("samples");
        foreach (TrainingSample sample in run.Samples)
        {
            json.WriteStartArray();
            json.WriteNumberValue(sample.Step);
            json.WriteStringValue(string.Join('\n', sample.Text.Split('\n').Select(line => VisibleText.Of(line.TrimEnd('\r')))));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("facts");
        foreach ((string name, string value) in Facts())
        {
            json.WriteStartArray();
            json.WriteStringValue(name);
            json.WriteStringValue(value);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private IEnumerable<(string Name, string Value)> Facts()
    {
        TrainingOptions options = run.Options;
        CultureInfo culture = CultureInfo.InvariantCulture;
        yield return ("parameters", run.Model.ParameterCount.ToString("N0", culture));
        yield return ("windows of text", run.Windows.ToString("N0", culture));
        yield return ("tokens of a window", options.ContextLength.ToString("N0", culture));
        yield return ("windows of a step", (options.BatchSize * options.GradientAccumulation).ToString("N0", culture));
        yield return ("greatest learning rate", options.LearningRate.ToString("g3", culture));
        yield return ("steps of warm-up", options.WarmupSteps.ToString("N0", culture));
        yield return ("weight decay", options.WeightDecay.ToString("g3", culture));
        yield return ("betas", string.Create(culture, $"{options.Beta1:g4}, {options.Beta2:g4}"));
        yield return ("seed", options.Seed.ToString(culture));
    }

    private static void WritePoints(Utf8JsonWriter json, string name, IEnumerable<(int Step, double Loss)> points)
    {
        json.WriteStartArray(name);
        foreach ((int step, double loss) in points)
        {
            json.WriteStartArray();
            json.WriteNumberValue(step);
            PageTemplate.WriteNumber(json, loss, digits: 5);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }
}
