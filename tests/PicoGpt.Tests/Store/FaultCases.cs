using System.Globalization;
using System.Text;

namespace PicoGpt.Tests.Store;

/// <summary>The faults of servers, by name.</summary>
internal static class FaultCases
{
    private const string Html = "<!DOCTYPE html><html><body>Please log in to this network</body></html>";
    private const string Xml = "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code></Error>";
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:2060c885\nsize 497759232\n";

    public static IReadOnlyDictionary<string, FaultCase> All { get; } = new[] { Silent(), Slow(), Broken(), Statuses(), Ranges(), Changes(), Bodies(), Redirects(), Damages() }
        .SelectMany(group => group).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    private static Dictionary<string, FaultCase> Silent() => new Dictionary<string, FaultCase>
    {
        ["stall before the headers"] = Once(TestModel.Data, new FaultyAnswer { StallAfter = -1 }),
        ["stall before the first byte"] = Once(TestModel.Data, new FaultyAnswer { StallAfter = 0 }),
        ["stall in the middle"] = Once(TestModel.Data, new FaultyAnswer { StallAfter = 5000 }),
        ["stall of a small file"] = Once(TestModel.Encoder, new FaultyAnswer { StallAfter = 1 }),
        ["silence for ever"] = Always(TestModel.HParams, new FaultyAnswer { StallAfter = -1 }, "did not answer within 0.5 s"),
        ["stall for ever"] = Always(TestModel.Data, new FaultyAnswer { StallAfter = 100 }, "sent nothing for 0.5 s"),
    }.ToDictionary(pair => pair.Key, pair => pair.Value with { IsSilent = true });

    private static Dictionary<string, FaultCase> Slow() => new Dictionary<string, FaultCase>
    {
        ["a drip once"] = Once(TestModel.Data, new FaultyAnswer { DripAfter = 100 }),
        ["a drip for ever"] = Always(TestModel.Data, new FaultyAnswer { DripAfter = 100 }, "bytes in 60 s"),
    }.ToDictionary(pair => pair.Key, pair => pair.Value with { IsSlow = true });

    private static Dictionary<string, FaultCase> Broken()
    {
        var cases = new Dictionary<string, FaultCase>
        {
            ["cut for ever"] = Always(TestModel.Data, new FaultyAnswer { CutAfter = 1 }, "broke"),
            ["a later range refused for ever"] = new(request => request.Start == 3 * TestModel.Chunk ? new FaultyAnswer { Status = 500, Body = [] } : null, "answered 500"),
            ["every request cut once"] = new(request => request.Number % 2 == 0 ? new FaultyAnswer { CutAfter = 700 } : null),
        };
        foreach (int bytes in new[] { 0, 1, 511, 8192, 16383 })
            cases.Add(string.Create(CultureInfo.InvariantCulture, $"data cut after {bytes}"), Once(TestModel.Data, new FaultyAnswer { CutAfter = bytes }));
        foreach (int bytes in new[] { 0, 1, 999 })
            cases.Add(string.Create(CultureInfo.InvariantCulture, $"encoder cut after {bytes}"), Once(TestModel.Encoder, new FaultyAnswer { CutAfter = bytes }));
        return cases;
    }

    private static Dictionary<string, FaultCase> Statuses()
    {
        var cases = new Dictionary<string, FaultCase>
        {
            ["429 with Retry-After"] = Once(TestModel.Data, Status(429, ("Retry-After", "0"))),
            ["429 with a Retry-After of a day"] = Once(TestModel.Data, Status(429, ("Retry-After", "86400"))),
            ["503 with a date"] = Once(TestModel.Data, Status(503, ("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"))),
            ["503 with nonsense"] = Once(TestModel.Data, Status(503, ("Retry-After", "soon"))),
            ["a missing index"] = Always(TestModel.Index, new FaultyAnswer { Status = 404, Body = Bytes(Xml) }, "BlobNotFound"),
            ["429 for more than one connection"] = new(request => request.Start > 0 && request.Number is > 1 and < 6 ? Status(429) : null),
        };
        foreach (int status in new[] { 408, 429, 500, 502, 503, 504 })
            cases.Add(string.Create(CultureInfo.InvariantCulture, $"{status} once"), Once(TestModel.Data, Status(status)));
        foreach (int status in new[] { 204, 304, 400, 401, 403, 404, 410, 416, 429, 500, 503 })
        {
            string sentence = status == 416 ? "shorter" : string.Create(CultureInfo.InvariantCulture, $"answered {status}");
            cases.Add(string.Create(CultureInfo.InvariantCulture, $"{status} for ever"), Always(TestModel.Data, Status(status), sentence));
        }

        return cases;
    }

    private static Dictionary<string, FaultCase> Ranges() => new()
    {
        ["no ranges"] = new(_ => new FaultyAnswer { IgnoreRange = true }),
        ["no ranges, no lengths"] = new(_ => new FaultyAnswer { IgnoreRange = true, HideLength = true }),
        ["no ranges, nothing known"] = new(_ => new FaultyAnswer { IgnoreRange = true, HideLength = true }, Model: TestModel.Unknown),
        ["no ranges, cut once"] = new(request => new FaultyAnswer { IgnoreRange = true, CutAfter = request.Number == 0 ? 1500 : null }),
        ["no ranges, no length, cut short"] = Always(
            TestModel.Data, new FaultyAnswer { HideLength = true, Body = TestModel.Files[TestModel.Data][..^58] }, "ended 58 bytes early"),
        ["ranges ignored in between"] = new(request => request.Number == 3 ? new FaultyAnswer { IgnoreRange = true } : null),
        ["wrong Content-Range once"] = Once(TestModel.Data, Header("Content-Range", "bytes 1-16384/999999")),
        ["wrong Content-Range for ever"] = Always(TestModel.Data, Header("Content-Range", "bytes 1-16384/999999"), "was asked for the bytes 0-16383"),
        ["Content-Range without a length"] = Always(TestModel.Data, Header("Content-Range", "bytes 0-16383/*"), "was asked for the bytes"),
        ["Content-Range of another unit"] = Always(TestModel.Data, Header("Content-Range", "lines 0-16383/20000"), "was asked for the bytes"),
        ["ranges shorter than what was asked for"] = new(_ => new FaultyAnswer { AtMost = 1000 }),
        ["ranges shorter than what was asked for, nothing known"] = new(_ => new FaultyAnswer { AtMost = 5000 }, Model: TestModel.Unknown),
        ["ranges of a file without a length"] = new(_ => new FaultyAnswer { HideTotal = true, AtMost = 9000 }),
        ["ranges of a file without a length, nothing known"] = new(_ => new FaultyAnswer { HideTotal = true }, "does not say how long", TestModel.Unknown),
        ["no Content-Range"] = Always(TestModel.Data, new FaultyAnswer { Status = 206, Body = new byte[100] }, "answered 'nothing'"),
        ["another total length"] = Always(TestModel.Data, Header("Content-Range", "bytes 0-16383/20000"), "has 20,000 bytes instead of"),
        ["another total length later"] = new(request => request.Start == TestModel.Chunk ? Header("Content-Range", "bytes 16384-32767/50000") : null, "50,000 bytes"),
        ["a shorter file"] = Always(TestModel.Data, new FaultyAnswer { Body = TestModel.Files[TestModel.Data][..5000] }, "has 5,000 bytes instead of"),
        ["a longer file"] = Always(TestModel.Encoder, new FaultyAnswer { Body = [.. TestModel.Files[TestModel.Encoder], 10] }, "bytes instead of"),
        ["nothing known"] = new(_ => null, Model: TestModel.Unknown),
        ["no hash known"] = new(_ => null, Model: TestModel.WithoutHashes),
    };

    private static Dictionary<string, FaultCase> Changes() => new()
    {
        ["changed once"] = new(request => request.Number < 3 ? Header("ETag", "\"v0\"") : null),
        ["changing for ever"] = new(
            request => request.File == TestModel.Data ? Header("ETag", string.Create(CultureInfo.InvariantCulture, $"\"{request.Number}\"")) : null, "changed while it was fetched"),
        ["a weak tag"] = new(_ => Header("ETag", "W/\"1\"")),
        ["a weak tag that changes"] = new(request => Header("ETag", request.Number < 2 ? "W/\"0\"" : "W/\"1\"")),
        ["a date instead of a tag"] = new(_ => new FaultyAnswer { HideTag = true, Headers = { ["Last-Modified"] = "Wed, 21 Oct 2015 07:28:00 GMT" } }),
        ["a tag that no header can hold"] = new(request => request.IfRange.Length > 0 ? Status(400) : Header("ETag", "\"\u00e9\"")),
        ["no validator"] = new(_ => new FaultyAnswer { HideTag = true }),
        ["no validator, cut"] = new(request => new FaultyAnswer { HideTag = true, CutAfter = request.Number == 2 ? 100 : null }),
    };

    private static Dictionary<string, FaultCase> Bodies() => new()
    {
        ["HTML in place of the encoder"] = Always(TestModel.Encoder, Body(Html), "Please log in to this network"),
        ["XML in place of the data"] = Always(TestModel.Data, Body(Xml), "BlobNotFound"),
        ["a git-LFS pointer"] = Always(TestModel.Data, Body(Pointer), "git-LFS pointer"),
        ["JSON in place of the data"] = Always(TestModel.Data, Body("{\"error\": \"no such model\"}"), "no such model"),
        ["JSON in place of the encoder"] = Always(TestModel.Encoder, Body("{\"error\": \"rate limit\"}"), "rate limit"),
        ["text in place of the index"] = Always(TestModel.Index, Body("try again later"), "try again later"),
        ["an empty body"] = Always(TestModel.Data, Body(""), "has 0 bytes instead of"),
        ["HTML, nothing known"] = Always(TestModel.Index, Body(Html), "Please log in") with { Model = TestModel.Unknown },
        ["text, nothing known"] = Always(TestModel.Index, Body("try again later"), "is not a TensorFlow checkpoint index") with { Model = TestModel.Unknown },
        ["JSON in place of hparams, nothing known"] = Always(TestModel.HParams, Body("{\"error\": 1}"), "n_vocab") with { Model = TestModel.Unknown },
        ["a compressed body"] = Always(TestModel.Encoder, Header("Content-Encoding", "gzip"), "compressed"),
    };

    private static Dictionary<string, FaultCase> Redirects() => new()
    {
        ["a relative redirect"] = new(request => request.Path.Contains("moved", StringComparison.Ordinal) ? null : Redirect($"/moved/{request.File}")),
        ["five redirects"] = new(request => request.Path.Count(c => c == 'm') > 6 ? null : Redirect($"/m{request.Path.TrimStart('/')}")),
        ["a redirect loop"] = new(request => Redirect(request.Path), "redirects more than 10 times"),
        ["a redirect to plain http"] = new(_ => Redirect("http://models.invalid/file"), "is refused: it is not HTTPS"),
        ["a redirect to a file"] = new(_ => Redirect("file:///etc/passwd"), "is refused"),
        ["a redirect to ftp"] = new(_ => Redirect("ftp://127.0.0.1/file"), "is refused"),
        ["a redirect to //"] = new(_ => Redirect("//"), "not an address"),
        ["a redirect to //["] = new(_ => Redirect("//["), "not an address"),
        ["a redirect to file:"] = new(_ => Redirect("file:"), "Tiny/"),
        ["a redirect to a port too large"] = new(_ => Redirect("https://models.invalid:99999/"), "Tiny/"),
        ["a redirect to a broken host"] = new(_ => Redirect("https://[::1/"), "Tiny/"),
        ["a redirect to nowhere"] = new(_ => Status(302), "answered 302"),
    };

    private static Dictionary<string, FaultCase> Damages() => new()
    {
        ["a byte damaged once"] = new(request => request.File == TestModel.Data && request.Number < 5 ? new FaultyAnswer { CorruptAt = 20000 } : null),
        ["a byte damaged once, no hash known"] = new(
            request => request.File == TestModel.Data && request.Number < 5 ? new FaultyAnswer { CorruptAt = 20000 } : null, Model: TestModel.WithoutHashes),
        ["a byte damaged for ever"] = Always(TestModel.Data, new FaultyAnswer { CorruptAt = 20000 }, "has damaged tensors: model/"),
        ["a byte damaged for ever, no hash known"] = Always(TestModel.Data, new FaultyAnswer { CorruptAt = 20000 }, "has damaged tensors: model/") with { Model = TestModel.WithoutHashes },
        ["a small file damaged once"] = Once(TestModel.Encoder, new FaultyAnswer { CorruptAt = 5 }),
        ["a small file damaged for ever"] = Always(TestModel.Encoder, new FaultyAnswer { CorruptAt = 5 }, "SHA-256"),
        ["the index damaged for ever, no hash known"] = Always(TestModel.Index, new FaultyAnswer { CorruptAt = 5 }, "damaged") with { Model = TestModel.WithoutHashes },
    };

    private static FaultCase Once(string file, FaultyAnswer answer) => new(request => request.File == file && request.Number == 0 ? answer : null);

    private static FaultCase Always(string file, FaultyAnswer answer, string sentence) => new(request => request.File == file ? answer : null, sentence);

    private static FaultyAnswer Status(int status, params (string Name, string Value)[] headers) =>
        new() { Status = status, Body = [], Headers = headers.ToDictionary(header => header.Name, header => header.Value) };

    private static FaultyAnswer Header(string name, string value) => new() { Headers = { [name] = value } };

    private static FaultyAnswer Body(string text) => new() { Body = Bytes(text) };

    private static FaultyAnswer Redirect(string location) => Status(302, ("Location", location));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
