using System.Text.Json;

namespace PicoGpt.Tests;

/// <summary>The model that ships with the module, and what is independently known of it.</summary>
internal static class BuiltInModel
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "models", "3M");

    public static JsonElement Reference { get; } = JsonDocument
        .Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "3M.reference.json"))).RootElement;

    public static Gpt2Model Open() => Gpt2Model.Open(Folder);

    public static int[] Ints(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];

    public static double[] Doubles(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetDouble())];
}
