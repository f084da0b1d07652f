using System.Diagnostics;
using Xunit;

namespace PicoGpt.Tests.Training;

/// <summary>Trainings that are killed at any moment, in a step or while they write, and resumed: they end with the bits of one that was not.</summary>
public sealed class KilledTrainingTests
{
    private const int Steps = 60;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public Task A_killed_training_that_is_resumed_ends_with_the_same_bits(int rank) => KillAsync(rank, kills: 3);

    /// <summary>A part of the long suite.</summary>
    [Theory(Explicit = true)]
    [InlineData(0)]
    [InlineData(3)]
    public Task So_do_trainings_that_are_killed_twenty_five_times(int rank) => KillAsync(rank, kills: 25);

    private static async Task KillAsync(int rank, int kills)
    {
        using TemporaryFolder model = RandomModel.InFolder(Shapes.Odd), folder = new();
        string whole = folder.File("whole"), killed = folder.File("killed");
        var watch = Stopwatch.StartNew();
        await EndAsync(model.Path, whole, rank);
        double milliseconds = watch.Elapsed.TotalMilliseconds;
        var random = new Random(rank);
        int done = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            using Process child = ChildTraining.Start(model.Path, killed, rank, Steps);
            await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken); // "training", or nothing of one that fails
            await Task.Delay(random.Next((int)Math.Max(2, milliseconds / kills)), TestContext.Current.CancellationToken);
            child.Kill();
            string errors = await child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal("", errors);
            if (child.ExitCode != 0) done++;
        }

        Assert.True(done > 0, "No process was killed before it had ended.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{done} of {kills} processes were killed before they had ended.");
        await EndAsync(model.Path, killed, rank);
        string[] files = rank == 0 ? [$"model-{Steps}.data-00000-of-00001", $"model-{Steps}.index"] : ["adapter_model.safetensors", $"training-{Steps}.safetensors"];
        foreach (string file in files) Assert.Equal(File.ReadAllBytes(Path.Combine(whole, file)), File.ReadAllBytes(Path.Combine(killed, file)));
    }

    private static async Task EndAsync(string model, string folder, int rank)
    {
        using Process child = ChildTraining.Start(model, folder, rank, Steps);
        string errors = await child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (child.ExitCode, errors));
    }
}
