using System.Diagnostics;
using System.Text.Json;
using PicoGpt.Inference;
using PicoGpt.Store;

namespace PicoGpt.Tests.Inference;

/// <summary>A process of its own that generates texts from a model, a line each, until something keeps it from it.</summary>
internal static class ChildGeneration
{
    public const string Verb = "generate";

    /// <summary>What the process prints when it ends, before the sentence.</summary>
    public const string End = "ended: ";

    /// <summary>Runs the model of a folder.</summary>
    public static Process Start(string folder) => StartProcess(folder);

    /// <summary>Runs a model of a cache.</summary>
    public static Process Start(string root, CatalogModel model) => StartProcess(root, JsonSerializer.Serialize(model));

    public static int Run(string[] args)
    {
        try
        {
            using Gpt2Model model = args is [_, var root, var json]
                ? new ModelStore(root).Open(JsonSerializer.Deserialize<CatalogModel>(json)!)
                : Gpt2Model.Open(args[1]);
            while (true)
            {
                string text = TextGeneration.Run(model, "Once upon a time", new GenerationOptions { MaxTokens = 8, Threads = 1 }).Text;
                Console.WriteLine(text.ReplaceLineEndings(" "));
            }
        }
        catch (Gpt2Exception fault)
        {
            Console.WriteLine(End + fault.Message);
            return 0;
        }
    }

    private static Process StartProcess(params string[] arguments) => ChildProcess.Start([Verb, .. arguments]);
}
