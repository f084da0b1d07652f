using PicoGpt.Tests.Cli;
using PicoGpt.Tests.Inference;
using PicoGpt.Tests.Resources;
using PicoGpt.Tests.Store;
using PicoGpt.Tests.Training;
using PicoGpt.Tests.Weights;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace PicoGpt.Tests;

/// <summary>Runs the tests; or, as a process of its own that a test may kill or keep short, some work.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        [ChildCommandLine.Verb, ..] => Task.FromResult(ChildCommandLine.Run(args)),
        [ChildDownload.Verb, ..] => ChildDownload.RunAsync(args),
        [ChildGeneration.Verb, ..] => Task.FromResult(ChildGeneration.Run(args)),
        [ChildTraining.Verb, ..] => Task.FromResult(ChildTraining.Run(args)),
        [ClosedModel.Verb, ..] => Task.FromResult(ClosedModel.Run(args)),
        [KilledWriter.Verb, ..] => Task.FromResult(KilledWriter.Run(args)),
        [ResourceChild.Verb, ..] => ResourceChild.RunAsync(args),
        _ => RunTests(args),
    };

    // As the test platform's client where "dotnet test" asks, otherwise as xunit's own program.
    private static Task<int> RunTests(string[] args)
    {
        // Many a test blocks a thread of the pool; with as many as it has processors, timers and servers would wait for those.
        ThreadPool.GetMinThreads(out int workers, out int ports);
        ThreadPool.SetMinThreads(workers + 32, ports);
        return args.Any(arg => arg is "--server" or "--internal-msbuild-node")
            ? TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : ConsoleRunner.Run(args);
    }
}
