using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Store;
using PicoGpt.Weights;

namespace PicoGpt.Tests.Resources;

/// <summary>Work in a process of its own, which a test starts short of something; it tells what came of it in a line each.</summary>
internal static class ResourceChild
{
    public const string Verb = "resource";

    /// <summary>What a shell calls the work by: <c>$PICOGPT fetch …</c>.</summary>
    private const string Variable = "PICOGPT";

    private const string Separator = "--";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Runs a script of a shell.</summary>
    /// <param name="script">The script; its words <c>$0</c>, <c>$1</c>, … are the arguments.</param>
    /// <param name="arguments">The arguments.</param>
    /// <returns>Its exit code and the lines that it wrote.</returns>
    public static (int ExitCode, string[] Lines) Run(string script, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-c", script, .. arguments]) start.ArgumentList.Add(argument);
        start.Environment[Variable] = string.Join(' ', [.. ChildProcess.Command, Verb]);
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0"; // needs a file as large as all code, which a limit of the file size forbids
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using Process child = Process.Start(start)!;
        Task<string> errors = child.StandardError.ReadToEndAsync();
        Task<string> output = child.StandardOutput.ReadToEndAsync();
        if (!child.WaitForExit(Patience)) child.Kill(entireProcessTree: true);
        string[] lines = $"{output.Result}{errors.Result}".Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (child.ExitCode, lines);
    }

    /// <summary>Does pieces of work, which <c>--</c> separates.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        string[] left = args[1..];
        while (left.Length > 0)
        {
            string[] work = [.. left.TakeWhile(word => word != Separator)];
            left = [.. left.Skip(work.Length + 1)];
            try
            {
                Console.WriteLine($"ok {await DoAsync(work[0], work[1..])}".TrimEnd());
            }
            catch (Gpt2Exception fault)
            {
                Console.WriteLine($"{fault.Error} {fault.Message}");
            }
        }

        return 0;
    }

    private static async Task<string> DoAsync(string action, string[] args)
    {
        switch (action)
        {
            case "fetch":
                var options = new DownloadOptions { Sources = [ModelSource.Parse(args[2])], FreeSpace = _ => long.MaxValue };
                await new ModelDownloader(new ModelStore(args[1])).FetchAsync(Known(args[0]), options);
                return "";
            case "describe":
                return new ModelStore(args[1]).Describe(Known(args[0])).State.ToString();
            case "cached":
                using (Gpt2Model cached = new ModelStore(args[1]).Open(Known(args[0]))) return Say(cached);
            case "check":
                return string.Join(" ", new ModelStore(args[1]).Check(Known(args[0])).Where(check => !check.IsValid).Select(check => check.Problem));
            case "remove":
                new ModelStore(args[1]).Remove(Known(args[0]));
                return "";
            case "open":
                using (var opened = Gpt2Model.Open(args[0])) return Say(opened);
            case "open-twice":
                using (var first = Gpt2Model.Open(args[0]))
                using (var second = Gpt2Model.Open(args[0])) return $"{Say(first)} {Say(second)}";
            case "cut-unread":
                using (var unread = Gpt2Model.Open(args[0]))
                {
                    _ = unread.Parameters.Wpe.ToArray();
                    Cut(args[1]);
                    return Say(unread);
                }

            case "cut-read":
                using (var read = Gpt2Model.Open(args[0]))
                {
                    string before = Say(read);
                    Cut(args[1]);
                    return Say(read) == before ? "the same" : "another";
                }

            case "built-in":
                using (Gpt2Model builtIn = ModelStore.Default.Open("3M", "3M")) return Say(builtIn);
            case "pack":
                using (var packed = Gpt2Model.Open(args[0]))
                using (PackedWeights.Open(packed.Parameters, args[0], Gpt2Precision.Int8, smallestFile: 0))
                    return File.Exists(Path.Combine(args[0], "converted", "int8.index")) ? "in a file" : "in memory";
            case "export":
                using (var exported = Gpt2Model.Open(args[0])) ModelExport.Plan(exported, args[1], args[2]).Run();
                return "";
            case "root":
                return ModelStore.Default.Root;
            case "full-disk":
                return await FullDisk.SweepAsync(args[0], args[1]);
            default:
                throw new ArgumentOutOfRangeException(nameof(action), action, "no such work");
        }
    }

    private static CatalogModel Known(string file) => JsonSerializer.Deserialize<CatalogModel>(File.ReadAllText(file))!;

    private static void Cut(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }

    private static string Say(Gpt2Model model) =>
        TextGeneration.Run(model, "ab", new GenerationOptions { MaxTokens = 1 }).Ids[0].ToString(CultureInfo.InvariantCulture);
}
