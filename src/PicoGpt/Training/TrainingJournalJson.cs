using System.Text.Json.Serialization;

namespace PicoGpt.Training;

/// <summary>Journals as JSON.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TrainingJournal))]
internal sealed partial class TrainingJournalJson : JsonSerializerContext;
