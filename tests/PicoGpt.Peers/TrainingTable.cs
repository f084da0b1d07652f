using System.Diagnostics;
using System.Globalization;
using PicoGpt.Benchmarks;
using PicoGpt.Peers.Torch;
using PicoGpt.Training;

namespace PicoGpt.Peers;

/// <summary>
/// A step of training in float32, forward, backward and AdamW, by PicoGpt and by libtorch, in turn on the same texts. Their losses have to
/// agree at every step, or nothing is told.
/// </summary>
internal sealed class TrainingTable(PeerOptions options, Gpt2Model model, TextWriter output)
{
    /// <summary>The first argument that asks for it.</summary>
    public const string Verb = "train";

    private const double MostDifference = 1e-3; // of the losses, in nats

    private static readonly (int Texts, int Length)[] Batches = [(4, 64), (1, 256)];

    /// <summary>Measures and writes the table.</summary>
    /// <param name="options">The model, the rounds and the threads.</param>
    /// <param name="output">Where the table goes.</param>
    /// <param name="progress">Where it is told what does not run.</param>
    /// <returns>Whether all could be measured.</returns>
    public static bool Write(PeerOptions options, TextWriter output, TextWriter progress)
    {
        options.MakeModel();
        using Gpt2Model model = Gpt2Model.Open(options.Model);
        try
        {
            new TrainingTable(options, model, output).Write();
            return true;
        }
        catch (InvalidDataException fault)
        {
            progress.WriteLine($"libtorch is wrong: {fault.Message}");
        }
        catch (TypeInitializationException fault) // its native library is not for this machine
        {
            progress.WriteLine($"libtorch does not run: {fault.GetBaseException().Message}");
        }

        return false;
    }

    private void Write()
    {
        output.WriteLine($"{model.Name}, {options.Threads} threads, medians of {options.Rounds} (least to greatest); {PeerVersions.All}");
        output.WriteLine();
        output.WriteLine("| tokens of a step | PicoGpt, s | libtorch, s | times as fast | greatest difference of the losses |");
        output.WriteLine("|---|---|---|---|---|");
        foreach ((int texts, int length) in Batches) WriteRow(texts, length);
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Fused multiply-add: {MachineLimits.PeakFlops(options.Threads) / 1e9:F0} GFLOP/s."));
    }

    private void WriteRow(int texts, int length)
    {
        // As many tokens as one step reads, and the one after them: each step reads them all, in whatever order.
        int[] tokens = Column.Ids((texts * length) + 1, model.HyperParameters.NVocab);
        var training = new TrainingOptions { BatchSize = texts, ContextLength = length, ValidationShare = 0, Threads = options.Threads };
        using Gpt2Model copy = model.Clone();
        using var trainer = new Trainer(copy, tokens, training);
        using var torch = new TorchTraining(model, training);
        List<double> own = [], other = [];
        double difference = 0;
        for (int round = 0; round <= options.Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            Gpt2TrainingStep step = trainer.Next();
            double ownSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            start = Stopwatch.GetTimestamp();
            double loss = torch.Next(tokens[..^1], tokens[1..], step.LearningRate);
            double otherSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            difference = Math.Max(difference, Math.Abs(step.Loss - loss));
            if (!(difference < MostDifference)) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"the loss of step {step.Step} is {loss:F5}, PicoGpt's {step.Loss:F5}"));
            if (round == 0) continue; // warms up
            own.Add(ownSeconds);
            other.Add(otherSeconds);
        }

        double times = OpenedPeer.Median(own.Zip(other, (one, two) => two / one));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {texts}x{length} | {Range(own)} | {Range(other)} | {times:F2} | {difference:G2} |"));
    }

    private static string Range(List<double> values) =>
        string.Create(CultureInfo.InvariantCulture, $"{OpenedPeer.Median(values):F2} ({values.Min():F2} to {values.Max():F2})");
}
