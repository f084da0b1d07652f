using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using PicoGpt.Store;

namespace PicoGpt.Benchmarks;

/// <summary>
/// Fetches a model of the 124M shape from a server on this machine, verification included, beside what one plain curl takes for
/// its biggest file; and kills the fetch at random moments to count what is fetched twice.
/// </summary>
internal static class DownloadTable
{
    public const string FetchVerb = "fetch";

    private const string Data = "model.ckpt.data-00000-of-00001";
    private const long SlowRate = 20_000_000;
    private const int Kills = 50;

    public static async Task RunAsync(TableOptions options, TextWriter output)
    {
        if (!Directory.Exists(options.Model)) RandomModel.Write(options.Model, options.Shape);
        await CompareAsync("unlimited", 0, options, output);
        await CompareAsync("20 MB/s a connection", SlowRate, options with { Rounds = Math.Min(3, options.Rounds) }, output);
        await KillAsync(options, output);
    }

    /// <summary>What a child process does: a whole fetch.</summary>
    public static async Task FetchAsync(string root, string folder, string source)
    {
        var store = new ModelStore(root);
        await new ModelDownloader(store).FetchAsync(Describe(folder), new DownloadOptions { Sources = ModelSource.ParseList(source), Offline = false });
    }

    private static async Task CompareAsync(string name, long rate, TableOptions options, TextWriter output)
    {
        CatalogModel model = Describe(options.Model);
        using Process server = Start(FileServer.Verb, options.Model, $"{rate}");
        string address = (await server.StandardOutput.ReadLineAsync())! + "/";
        List<double> curls = [], ours = [];
        for (int round = 0; round <= options.Rounds; round++)
        {
            string root = Directory.CreateTempSubdirectory("picogpt-bench-").FullName;
            double curl = await CurlAsync(address + Data, Path.Combine(root, "curl"));
            double own = await OwnAsync(model, root, address);
            Directory.Delete(root, recursive: true);
            if (round == 0) continue; // warms up
            curls.Add(curl);
            ours.Add(own);
        }

        server.Kill();
        curls.Sort();
        ours.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: curl {curls[curls.Count / 2]:F2} s ({curls[0]:F2} to {curls[^1]:F2}), PicoGpt with verification {ours[ours.Count / 2]:F2} s ({ours[0]:F2} to {ours[^1]:F2})"));
    }

    private static async Task KillAsync(TableOptions options, TextWriter output)
    {
        var random = new Random(1);
        using Process server = Start(FileServer.Verb, options.Model, $"{SlowRate}");
        string address = (await server.StandardOutput.ReadLineAsync())! + "/";
        string root = Directory.CreateTempSubdirectory("picogpt-bench-").FullName;
        CatalogModel model = Describe(options.Model);
        int killed = 0, finished = 0;
        while (killed < Kills || !IsWhole(model, root))
        {
            if (IsWhole(model, root)) Directory.Delete(Path.Combine(root, "Bench"), recursive: true);
            using Process fetch = Start(FetchVerb, root, options.Model, address);
            bool ended = fetch.WaitForExit(killed < Kills ? random.Next(150, 2500) : Timeout.Infinite);
            if (ended && fetch.ExitCode != 0) throw new InvalidOperationException(await fetch.StandardError.ReadToEndAsync());
            if (!ended) killed++;
            fetch.Kill();
            await fetch.WaitForExitAsync();
            if (IsWhole(model, root)) finished++;
        }

        using var client = new HttpClient();
        long sent = long.Parse(await client.GetStringAsync(address + "sent"), CultureInfo.InvariantCulture);
        bool isRight = Hash(Path.Combine(root, "Bench", Data)) == Hash(Path.Combine(options.Model, Data));
        server.Kill();
        Directory.Delete(root, recursive: true);
        double twice = (sent - ((double)finished * model.DownloadSize)) / killed;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{killed} kills during {finished} fetches: {twice / 1e6:F1} MB a kill fetched twice, the last file {(isRight ? "right" : "WRONG")}"));
    }

    private static bool IsWhole(CatalogModel model, string root) => new ModelStore(root).Describe(model).State == ModelState.Cached;

    private static async Task<double> OwnAsync(CatalogModel model, string root, string address)
    {
        long start = Stopwatch.GetTimestamp();
        await new ModelDownloader(new ModelStore(root)).FetchAsync(model, new DownloadOptions { Sources = ModelSource.ParseList(address), Offline = false });
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> CurlAsync(string address, string path)
    {
        long start = Stopwatch.GetTimestamp();
        using Process curl = Process.Start("curl", ["--silent", "--fail", "--output", path, address]);
        await curl.WaitForExitAsync();
        return curl.ExitCode == 0 ? Stopwatch.GetElapsedTime(start).TotalSeconds : throw new InvalidOperationException($"curl ended with {curl.ExitCode}");
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(DownloadTable).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static CatalogModel Describe(string folder) => new("Bench", [], Architecture.Gpt2HyperParameters.Load(Path.Combine(folder, "hparams.json")),
    [
        .. new DirectoryInfo(folder).EnumerateFiles().OrderBy(file => file.Length).Select(file => new CatalogFile(file.Name, file.Length, Hash(file.FullName))),
    ]);
}
