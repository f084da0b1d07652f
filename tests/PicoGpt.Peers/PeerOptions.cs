using System.Globalization;

namespace PicoGpt.Peers;

/// <summary>What is compared.</summary>
/// <param name="Model">The folder of the model; where there is none, random weights of the 124M shape are written there.</param>
/// <param name="Files">The folder of the model in the peers' formats; what is missing there is made.</param>
/// <param name="Peers">The groups of rows.</param>
/// <param name="Precisions">How the matrices are held.</param>
/// <param name="Columns">What is measured.</param>
/// <param name="Rounds">How often everything is measured; the table shows medians.</param>
/// <param name="Threads">Threads to compute with.</param>
internal sealed record PeerOptions(
    string Model,
    string Files,
    IReadOnlyList<string> Peers,
    IReadOnlyList<Gpt2Precision> Precisions,
    IReadOnlyList<Column> Columns,
    int Rounds,
    int Threads)
{
    public static string Help { get; } = $"""
        dotnet run -c Release --project tests/PicoGpt.Peers -- [options]
        dotnet run -c Release --project tests/PicoGpt.Peers -- {TrainingTable.Verb} [options]   a step of training beside libtorch's; of --rounds, --threads and --model

        --peers       some of {string.Join(',', PeerRow.Groups)}; all by default
        --precisions  some of Float32,Float16,BFloat16,Int8,Int4; all by default
        --columns     10+40: so many tokens behind such a prompt; 512: a prompt; 32x10+40: so many together;
                      10+40,10+200,900+40,10,128,512,1000,32x10+40 by default
        --rounds      how often everything is measured; 3 by default
        --threads     2 by default
        --model       the folder of a model; picogpt-bench-124M in the temporary folder by default, made where it is missing
        --files       the folder of the model in the peers' formats, made where they are missing; the model's own with -peers at its end by default
        """;

    private const string DefaultColumns = "10+40,10+200,900+40,10,128,512,1000,32x10+40";

    private static readonly string[] Names = ["--peers", "--precisions", "--columns", "--rounds", "--threads", "--model", "--files"];

    /// <summary>Writes random weights of the 124M shape where there is no model.</summary>
    public void MakeModel()
    {
        if (!Directory.Exists(Model)) RandomModel.Write(Model, new(50257, 1024, 768, 12, 12));
    }

    /// <exception cref="ArgumentException">An option is not one of them, or has another value than it may have.</exception>
    public static PeerOptions Parse(string[] arguments)
    {
        if (arguments.Length % 2 != 0) throw new ArgumentException($"{arguments[^1]} has no value");
        Dictionary<string, string> given = [];
        foreach (string[] pair in arguments.Chunk(2))
        {
            if (!Names.Contains(pair[0])) throw new ArgumentException($"{pair[0]} is not one of {string.Join(", ", Names)}");
            given[pair[0]] = pair[1];
        }

        string model = given.GetValueOrDefault("--model") ?? Path.Combine(Path.GetTempPath(), "picogpt-bench-124M");
        string[] peers = given.GetValueOrDefault("--peers")?.Split(',') ?? [.. PeerRow.Groups];
        if (peers.FirstOrDefault(peer => !PeerRow.Groups.Contains(peer)) is { } unknown)
            throw new ArgumentException($"--peers {unknown} is not one of {string.Join(", ", PeerRow.Groups)}");
        return new PeerOptions(
            model,
            given.GetValueOrDefault("--files") ?? Path.TrimEndingDirectorySeparator(model) + "-peers",
            peers,
            given.GetValueOrDefault("--precisions")?.Split(',').Select(name => Enum.Parse<Gpt2Precision>(name, ignoreCase: true)).ToArray() ?? Enum.GetValues<Gpt2Precision>(),
            [.. (given.GetValueOrDefault("--columns") ?? DefaultColumns).Split(',').Select(Column.Parse)],
            Number("--rounds", 3),
            Number("--threads", 2));

        int Number(string name, int otherwise) => given.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
    }
}
