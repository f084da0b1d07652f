using BenchmarkDotNet.Running;
using PicoGpt.Benchmarks;

// dotnet run -c Release --project tests/PicoGpt.Benchmarks              the table: a whole model, as a share of the machine's limits
// dotnet run -c Release --project tests/PicoGpt.Benchmarks -- kernels   each kernel at each vector width (BenchmarkDotNet)
if (args is ["kernels", .. string[] rest]) BenchmarkSwitcher.FromTypes([typeof(KernelBenchmarks)]).Run(rest.Length > 0 ? rest : ["--filter", "*"]);
else SpeedTable.Run(TableOptions.Parse(args), Console.Out);
