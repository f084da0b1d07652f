using System.Text.Json;
using LLama.Native;
using PicoGpt.Architecture;
using PicoGpt.Exporting;
using PicoGpt.Peers.Llama;
using PicoGpt.Peers.Onnx;

namespace PicoGpt.Peers;

/// <summary>The model in the peers' formats: files in a folder, each made where it is missing or older than the model.</summary>
/// <param name="model">The model.</param>
/// <param name="folder">The folder.</param>
/// <param name="threads">Threads to compute with, which one of the formats tells.</param>
internal sealed class PeerFiles(Gpt2Model model, string folder, int threads)
{
    /// <summary>The model as PicoGpt exports it for llama.cpp.</summary>
    public string Gguf(Gpt2Precision precision)
    {
        string path = Path.Combine(folder, $"{precision}.gguf");
        if (!IsThere(path)) ModelExport.Plan(model, path, "Gguf", precision: precision).Run(overwrite: true);
        return path;
    }

    /// <summary>The model as llama.cpp's own quantizer makes it of the export in float32.</summary>
    public string Quantized(LLamaFtype type)
    {
        string path = Path.Combine(folder, $"{type}.gguf");
        if (IsThere(path)) return path;
        string unfinished = path + ".part";
        if (!LlamaPeer.Quantize(Gguf(Gpt2Precision.Float32), unfinished, type, threads))
            throw new InvalidOperationException($"llama.cpp does not quantize to {type}.");
        File.Move(unfinished, path, overwrite: true);
        return path;
    }

    /// <summary>The model as a graph, in a folder with the configuration that ONNX Runtime GenAI needs.</summary>
    /// <param name="bits">32, 8 or 4 for each value of a matrix.</param>
    /// <returns>The graph's file.</returns>
    public string Onnx(int bits)
    {
        string own = Path.Combine(folder, $"onnx-{bits}"), path = Path.Combine(own, "model.onnx");
        Directory.CreateDirectory(own);
        if (!IsThere(path)) Gpt2Graph.Write(model, path, bits);
        File.WriteAllText(Path.Combine(own, "genai_config.json"), GenAiConfig(model.HyperParameters));
        return path;
    }

    private bool IsThere(string path) => File.Exists(path) && File.GetLastWriteTimeUtc(path) > File.GetLastWriteTimeUtc(Path.Combine(model.Path, Gpt2HyperParameters.FileName));

    private string GenAiConfig(Gpt2HyperParameters h) => JsonSerializer.Serialize(new
    {
        model = new
        {
            type = "decoder",
            vocab_size = h.NVocab,
            context_length = h.NCtx,
            bos_token_id = h.NVocab - 1,
            eos_token_id = h.NVocab - 1,
            pad_token_id = h.NVocab - 1,
            decoder = new
            {
                filename = "model.onnx",
                num_attention_heads = h.NHead,
                num_key_value_heads = h.NHead,
                num_hidden_layers = h.NLayer,
                head_size = h.HeadSize,
                hidden_size = h.NEmbd,
                session_options = new { log_id = "genai", intra_op_num_threads = threads, inter_op_num_threads = 1, provider_options = Array.Empty<object>() },
                inputs = new
                {
                    input_ids = "input_ids",
                    attention_mask = "attention_mask",
                    position_ids = "position_ids",
                    past_key_names = "past_key_values.%d.key",
                    past_value_names = "past_key_values.%d.value",
                },
                outputs = new { logits = "logits", present_key_names = "present.%d.key", present_value_names = "present.%d.value" },
            },
        },
        search = new { do_sample = false, num_beams = 1, max_length = h.NCtx, past_present_share_buffer = true },
    });
}
