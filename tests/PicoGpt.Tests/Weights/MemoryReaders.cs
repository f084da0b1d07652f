using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Exporting;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Pictures;
using PicoGpt.Tracing;
using PicoGpt.Weights;

namespace PicoGpt.Tests.Weights;

/// <summary>All members that read a model's mapped memory, each as something that can be done and whose result can be compared.</summary>
internal static class MemoryReaders
{
    private const string Matrix = "h0/attn/c_attn/w";

    private static readonly GenerationOptions Options = new() { MaxTokens = 2, Threads = 1 };

    /// <summary>By the names of the members, <c>Type.Member</c>, whatever else is said behind a space.</summary>
    public static IReadOnlyDictionary<string, Func<Gpt2Model, string>> OfModel { get; } = new Dictionary<string, Func<Gpt2Model, string>>
    {
        ["FloatTensor.Item of a vector"] = model => Every(64, i => (float)model.Parameters.Blocks[0].Ln1.G[i]),
        ["FloatTensor.Item of a matrix"] = model => Every(64, i => model.Parameters.Wte[(int)i, (int)i]),
        ["FloatTensor.AsList by number"] = model =>
        {
            IReadOnlyList<float> list = model.Parameters.Wte.AsList();
            return Every(3000, i => list[(int)i]);
        },
        ["FloatTensor.AsList in a loop"] = model => Hash([.. WeightOf(model).AsList()]),
        ["FloatTensor.AsList of a slice"] = model => Hash([.. WeightOf(model).Slice("::2, 1:40").AsList()]),
        ["FloatTensor.AsList without a type"] = model => Hash([.. ((IEnumerable)WeightOf(model).AsList()).Cast<float>()]),
        ["FloatTensor.ToArray"] = model => Hash(WeightOf(model).ToArray()),
        ["FloatTensor.Row"] = model => Hash(WeightOf(model).Row(3).ToArray()),
        ["FloatTensor.Column"] = model => Hash(WeightOf(model).Column(-1).ToArray()),
        ["FloatTensor.Slice"] = model => Hash(WeightOf(model).Slice("5:9, ::-3").ToArray()),
        ["FloatTensor.Statistics"] = model => Text(model.Parameters.Wte.Statistics.Mean),
        ["FloatTensor.Mean of a slice"] = model => Text(WeightOf(model).Column(1).Mean),
        ["Gpt2Weight.Values"] = model => Hash(WeightOf(model).Values.ToArray()),
        ["Gpt2Weight.Values as a span"] = model => Hash(WeightOf(model).Values.Span.ToArray()),
        ["Heatmap.Of"] = model => Hash(Heatmap.Of(WeightOf(model), 10, 10, CellValue.Mean, null).Cells),
        ["Gpt2Model.Clone"] = model =>
        {
            using Gpt2Model clone = model.Clone();
            return Hash(WeightOf(clone).ToArray());
        },
        ["FloatTensor.SetValues from a mapped one"] = model =>
        {
            using Gpt2Model clone = BuiltInModel.Open().Clone();
            clone.Parameters.Wpe.SetValues(model.Parameters.Wpe);
            return Hash(clone.Parameters.Wpe.ToArray());
        },
        ["Gpt2Model.Prepare"] = model => Hash(PackedBytes(model)),
        ["TextGeneration.Run"] = model => TextGeneration.Run(model, "Once", Options).Text,
        ["TextGeneration.Run in Int8"] = model => TextGeneration.Run(model.WithPrecision(Gpt2Precision.Int8), "Once", Options).Text,
        ["TextMeasurer.Measure"] = model =>
        {
            Gpt2TextMeasure measure = TextMeasurer.Measure(model, "Once upon");
            return measure.Fault is { } fault ? throw fault : Text(measure.LogProbability);
        },
        ["TextTracer.Trace"] = model => Text(new TextTracer(model, "Once", new TraceOptions { Norms = true }).Trace().ResidualNorms![^1][0]),
        ["ModelExport.Run"] = model =>
        {
            using var folder = new TemporaryFolder();
            ModelExport.Plan(model, folder.File("out.npz"), "Npz", weight => weight.Name == Matrix).Run();
            return Hash(File.ReadAllBytes(folder.File("out.npz")));
        },
    };

    /// <summary>The members of a checkpoint.</summary>
    public static IReadOnlyDictionary<string, Func<TensorBundle, string>> OfBundle { get; } = new Dictionary<string, Func<TensorBundle, string>>
    {
        ["TensorBundle.GetBytes"] = bundle => Hash(bundle.GetBytes(EntryOf(bundle)).ToArray()),
        ["TensorBundle.GetFloats"] = bundle => Hash(bundle.GetFloats(EntryOf(bundle)).ToArray()),
        ["TensorBundle.ReadArray"] = bundle => Hash(bundle.ReadArray<float>(EntryOf(bundle))),
        ["TensorBundle.Verify"] = bundle =>
        {
            bundle.Verify(EntryOf(bundle));
            return "";
        },
        ["TensorBundle.VerifyAll"] = bundle =>
        {
            bundle.VerifyAll();
            return "";
        },
        ["TensorBundle.CheckAll"] = bundle => Text(bundle.CheckAll().Count(check => check.Error is null)),
        ["RawTensor.GetValues"] = bundle => Hash((float[])RawOf(bundle).GetValues()),
        ["RawTensor.GetBytes"] = bundle => Hash(RawOf(bundle).GetBytes()),
        ["RawTensor.Statistics"] = bundle => Text(RawOf(bundle).Statistics.StandardDeviation),
    };

    private static Gpt2Weight WeightOf(Gpt2Model model) => model.Parameters.First(weight => weight.Name == Matrix);

    private static TensorEntry EntryOf(TensorBundle bundle) => bundle.GetEntry($"model/{Matrix}");

    private static RawTensor RawOf(TensorBundle bundle) => new(bundle, ((ITensorSource)bundle).Tensors.First(tensor => tensor.Name == $"model/{Matrix}"));

    private static byte[] PackedBytes(Gpt2Model model)
    {
        using var packed = PackedWeights.Open(model.Parameters, model.Path, Gpt2Precision.Int8);
        return packed[WeightOf(model)].ToArray();
    }

    private static string Every(long count, Func<long, float> value)
    {
        float[] values = new float[count];
        for (long i = 0; i < count; i++) values[i] = value(i);
        return Hash(values);
    }

    private static string Hash(float[] values) => Hash(MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    private static string Hash(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
