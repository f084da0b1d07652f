using LLama.Native;
using PicoGpt.Peers.Llama;
using PicoGpt.Peers.Onnx;
using PicoGpt.Peers.Own;
using PicoGpt.Peers.Torch;
using static TorchSharp.torch;

namespace PicoGpt.Peers;

/// <summary>A row of the table.</summary>
/// <param name="Group">What <c>--peers</c> calls it.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="Precision">The precision of PicoGpt that it stands beside.</param>
/// <param name="Open">Opens the peer: the model in that precision, and in the peers' formats.</param>
internal sealed record PeerRow(string Group, string Name, Gpt2Precision Precision, Func<Gpt2Model, PeerFiles, int, IPeer> Open)
{
    public const string Own = "picogpt";

    private const string Guessing = "guessing", Llama = "llama", Onnx = "onnx", GenAi = "genai", Torch = "torch";

    /// <summary>The names of groups.</summary>
    public static IReadOnlyList<string> Groups { get; } = [Own, Guessing, Llama, Onnx, GenAi, Torch];

    /// <summary>All rows, PicoGpt's own of each precision before the others.</summary>
    public static IReadOnlyList<PeerRow> All { get; } =
    [
        .. Enum.GetValues<Gpt2Precision>().SelectMany(OfPicoGpt),
        OfLlama("f32", Gpt2Precision.Float32),
        OfOnnx("f32", Gpt2Precision.Float32, 32),
        OfGenAi("f32", Gpt2Precision.Float32, 32),
        OfTorch("f32", Gpt2Precision.Float32, ScalarType.Float32),
        OfLlama("f16", Gpt2Precision.Float16),
        OfLlama("bf16", Gpt2Precision.BFloat16),
        OfTorch("bf16", Gpt2Precision.BFloat16, ScalarType.BFloat16),
        OfLlama("q8_0", Gpt2Precision.Int8),
        OfOnnx("int8", Gpt2Precision.Int8, 8),
        OfGenAi("int8", Gpt2Precision.Int8, 8),
        OfLlama("q4_0", Gpt2Precision.Int4, LLamaFtype.MOSTLY_Q4_0),
        OfLlama("q4_K_M", Gpt2Precision.Int4, LLamaFtype.MOSTLY_Q4_K_M),
        OfOnnx("int4", Gpt2Precision.Int4, 4),
        OfGenAi("int4", Gpt2Precision.Int4, 4),
    ];

    private static IEnumerable<PeerRow> OfPicoGpt(Gpt2Precision precision) =>
    [
        new(Own, $"PicoGpt {precision}", precision, (model, _, threads) => new PlainPeer(model, threads)),
        new(Guessing, $"PicoGpt {precision}, guessing", precision, (model, _, threads) => new GuessingPeer(model, threads, temperature: 0)),
        new(Guessing, $"PicoGpt {precision}, guessing, sampled", precision, (model, _, threads) => new GuessingPeer(model, threads, temperature: 1)),
    ];

    private static PeerRow OfLlama(string name, Gpt2Precision precision, LLamaFtype? quantized = null) => new(
        Llama,
        $"llama.cpp {name}",
        precision,
        (model, files, threads) => new LlamaPeer(quantized is { } type ? files.Quantized(type) : files.Gguf(precision), model.HyperParameters.NCtx, threads));

    private static PeerRow OfOnnx(string name, Gpt2Precision precision, int bits) =>
        new(Onnx, $"ONNX Runtime {name}", precision, (model, files, threads) => new OnnxPeer(files.Onnx(bits), model.HyperParameters, threads));

    private static PeerRow OfGenAi(string name, Gpt2Precision precision, int bits) => new(
        GenAi, $"ONNX Runtime GenAI {name}", precision, (model, files, _) => new GenAiPeer(Path.GetDirectoryName(files.Onnx(bits))!, model.HyperParameters));

    private static PeerRow OfTorch(string name, Gpt2Precision precision, ScalarType type) =>
        new(Torch, $"libtorch {name}", precision, (model, _, threads) => new TorchPeer(model, type, threads));
}
