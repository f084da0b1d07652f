using System.Diagnostics;
using PicoGpt.Inference;

namespace PicoGpt.Tests.Inference;

/// <summary>A process of its own that generates one text after another from a model, a line each, until something keeps it from it.</summary>
internal static class ChildGeneration
{
    public const string Verb = "generate";

    /// <summary>What the process prints when it ends, before the sentence.</summary>
    public const string End = "ended: ";

    public static Process Start(string folder)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { typeof(ChildGeneration).Assembly.Location, Verb, folder }) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    public static int Run(string[] args)
    {
        try
        {
            using Gpt2Model model = Gpt2Model.Open(args[1]);
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
}
