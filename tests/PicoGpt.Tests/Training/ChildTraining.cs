using System.Diagnostics;
using PicoGpt.Training;

namespace PicoGpt.Tests.Training;

/// <summary>A training in a process of its own, which a test kills: it saves after every step, and goes on where the folder has a checkpoint.</summary>
internal static class ChildTraining
{
    public const string Verb = "train";

    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(i => (i * i) % 41)];

    /// <param name="model">The folder of the model.</param>
    /// <param name="folder">The folder to train in.</param>
    /// <param name="rank">The rank of adapters; 0 for the weights.</param>
    /// <param name="steps">The steps of the training.</param>
    public static Process Start(string model, string folder, int rank, int steps) => ChildProcess.Start(Verb, model, folder, $"{rank}", $"{steps}");

    public static int Run(string[] args)
    {
        using Gpt2Model model = Gpt2Model.Open(args[1]);
        int rank = int.Parse(args[3], null), steps = int.Parse(args[4], null);
        var options = new TrainingOptions { Steps = steps, BatchSize = 2, ContextLength = 16, LearningRate = 1e-2, Rank = rank, Threads = 1 };
        using TrainingRun run = HasCheckpoint(args[2])
            ? TrainingRun.Resume(args[2], Tokens, begun => begun with { Threads = 1 }, model: model)
            : TrainingRun.Begin(model, args[2], Tokens, options, overwrite: true);
        Console.WriteLine("training");
        while (run.Step < steps)
        {
            run.Next();
            run.Save();
        }

        return 0;
    }

    private static bool HasCheckpoint(string folder) => Directory.Exists(folder)
        && (File.Exists(Path.Combine(folder, "checkpoint")) || (File.Exists(Path.Combine(folder, "adapter_config.json")) && Directory.GetFiles(folder, "training-*.json").Length > 0));
}
