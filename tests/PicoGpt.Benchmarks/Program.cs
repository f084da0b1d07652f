using System.Globalization;
using BenchmarkDotNet.Running;
using PicoGpt.Benchmarks;

// dotnet run -c Release --project tests/PicoGpt.Benchmarks              the table: a whole model, as a share of the machine's limits
// dotnet run -c Release --project tests/PicoGpt.Benchmarks -- kernels   each kernel at each vector width (BenchmarkDotNet)
// dotnet run -c Release --project tests/PicoGpt.Benchmarks -- download  fetching from a server on this machine, beside curl
// dotnet run -c Release --project tests/PicoGpt.Benchmarks -- quality   what the precisions cost against float32
switch (args)
{
    case ["kernels", .. string[] rest]:
        BenchmarkSwitcher.FromTypes([typeof(KernelBenchmarks)]).Run(rest.Length > 0 ? rest : ["--filter", "*"]);
        break;
    case ["quality", .. string[] rest]:
        QualityTable.Run(TableOptions.Parse(rest), Console.Out);
        break;
    case ["download", .. string[] rest]:
        await DownloadTable.RunAsync(TableOptions.Parse(rest), Console.Out);
        break;
    case [FileServer.Verb, string folder, string rate]:
        await FileServer.RunAsync(folder, long.Parse(rate, CultureInfo.InvariantCulture));
        break;
    case [DownloadTable.FetchVerb, string root, string folder, string source]:
        await DownloadTable.FetchAsync(root, folder, source);
        break;
    case [StartFigures.FirstTokenVerb, string model, string precision]:
        StartFigures.WriteFirstToken(model, Enum.Parse<Gpt2Precision>(precision));
        break;
    default:
        SpeedTable.Run(TableOptions.Parse(args), Console.Out);
        break;
}
