using System.Text.Json;
using System.Text.Json.Serialization;

namespace PicoGpt.Training;

/// <summary>Journals as JSON.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TrainingJournal))]
internal sealed partial class TrainingJournalJson : JsonSerializerContext
{
    /// <summary>What of some options is otherwise in others: its name and its value in the first, such as <c>Seed 1</c>.</summary>
    public static IEnumerable<string> Differences(TrainingOptions options, TrainingOptions others)
    {
        JsonElement other = JsonSerializer.SerializeToElement(others, Default.TrainingOptions);
        foreach (JsonProperty option in JsonSerializer.SerializeToElement(options, Default.TrainingOptions).EnumerateObject())
        {
            if (option.Value.GetRawText() != other.GetProperty(option.Name).GetRawText()) yield return $"{option.Name} {option.Value.GetRawText()}";
        }
    }
}
