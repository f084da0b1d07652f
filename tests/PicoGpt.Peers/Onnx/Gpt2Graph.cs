using PicoGpt.Architecture;
using PicoGpt.Weights;

namespace PicoGpt.Peers.Onnx;

/// <summary>
/// GPT-2 as a graph of ONNX Runtime's fused operators: norms that add the residual stream, projections with their biases, attention that writes
/// its keys and values in place, and logits after the last position alone. The names of inputs and outputs are those that ONNX Runtime
/// GenAI knows.
/// </summary>
internal sealed class Gpt2Graph
{
    private readonly Gpt2HyperParameters _h;
    private readonly Gpt2Parameters _parameters;
    private readonly int _bits;
    private readonly OnnxFile _file;
    private readonly string _asTexts, _asHeads, _asRows, _lengths, _total;

    private Gpt2Graph(Gpt2Model model, OnnxFile file, int bits)
    {
        (_h, _parameters, _bits, _file) = (model.HyperParameters, model.Parameters, bits, file);
        string ids = file.Input("input_ids", OnnxType.Int64, "batch", "n_seq");
        string mask = file.Input("attention_mask", OnnxType.Int64, "batch", "total");
        string positions = file.Input("position_ids", OnnxType.Int64, "batch", "n_seq");

        string shape = file.Node("Shape", [ids]); // batch, n_seq
        _asTexts = file.Node("Concat", [shape, Vector(_h.NEmbd)], ("axis", 0));
        _asHeads = file.Node("Concat", [shape, Vector(3 * _h.NEmbd)], ("axis", 0));
        _asRows = Vector(-1, _h.NEmbd);
        string sums = file.Node("ReduceSum", [mask, Vector(1)], ("keepdims", 0));
        _lengths = ToInt32(file.Node("Sub", [sums, Vector(1)])); // the last position of each text, [batch]
        _total = ToInt32(file.Node("Gather", [file.Node("Shape", [mask]), file.Constant(OnnxType.Int64, isScalar: true, 1)]));

        string wte = Weight(_parameters.Wte), wpe = Weight(_parameters.Wpe);
        string x = file.Node("Add", [file.Node("Gather", [wte, ids]), file.Node("Gather", [wpe, positions])]);
        string logits = Logits(Blocks(file.Node("Reshape", [x, _asRows])), wte); // [batch, n_vocab]
        file.Node("Unsqueeze", [logits, Vector(1)], ["logits"]);
        file.Output("logits", OnnxType.Float32, "batch", "1", $"{_h.NVocab}");
    }

    /// <summary>Writes the graph and its weights.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The graph's file.</param>
    /// <param name="bits">32 for weights in float32; 8 or 4 for matrices in so many bits, multiplied by activations that are rounded to 8.</param>
    public static void Write(Gpt2Model model, string path, int bits)
    {
        using var file = new OnnxFile(path);
        _ = new Gpt2Graph(model, file, bits);
        file.Save();
    }

    // [rows, n_embd] -> [rows, n_embd], the final norm included
    private string Blocks(string x)
    {
        string normed = _file.Node("LayerNormalization", [x, .. Norm(_parameters.Blocks[0].Ln1)], ("epsilon", (float)_h.LayerNormEpsilon));
        for (int i = 0; i < _h.NLayer; i++)
        {
            Gpt2Block<Gpt2Weight> block = _parameters.Blocks[i];
            (x, normed) = AddAndNorm(x, Attention(normed, block.Attn, i), block.Ln2);
            string hidden = _file.Node(":FastGelu", [Project(normed, block.Mlp.CFc)]);
            Gpt2LayerNorm<Gpt2Weight> next = i + 1 < _h.NLayer ? _parameters.Blocks[i + 1].Ln1 : _parameters.LnF;
            (x, normed) = AddAndNorm(x, Project(hidden, block.Mlp.CProj), next);
        }

        return normed;
    }

    private string Attention(string x, Gpt2Attention<Gpt2Weight> attention, int layer)
    {
        string[] cache = [$"{_h.NHead}", "length", $"{_h.HeadSize}"];
        string pastKey = _file.Input($"past_key_values.{layer}.key", OnnxType.Float32, ["batch", .. cache]);
        string pastValue = _file.Input($"past_key_values.{layer}.value", OnnxType.Float32, ["batch", .. cache]);
        string heads = _file.Node("Reshape", [Project(x, attention.CAttn), _asHeads]);
        string sum = $"attention{layer}", key = $"present.{layer}.key", value = $"present.{layer}.value";
        _file.Node(
            ":GroupQueryAttention", [heads, "", "", pastKey, pastValue, _lengths, _total], [sum, key, value], ("num_heads", _h.NHead), ("kv_num_heads", _h.NHead));
        _file.Output(key, OnnxType.Float32, ["batch", .. cache]);
        _file.Output(value, OnnxType.Float32, ["batch", .. cache]);
        return Project(_file.Node("Reshape", [sum, _asRows]), attention.CProj);
    }

    // the residual stream, and its norm
    private (string Sum, string Normed) AddAndNorm(string x, string added, Gpt2LayerNorm<Gpt2Weight> norm)
    {
        string[] inputs = [x, added, .. Norm(norm)];
        string normed = $"normed/{norm.G.Name}", sum = $"sum/{norm.G.Name}";
        _file.Node(":SkipLayerNormalization", inputs, [normed, "", "", sum], ("epsilon", (float)_h.LayerNormEpsilon));
        return (sum, normed);
    }

    private string[] Norm(Gpt2LayerNorm<Gpt2Weight> norm) => [Weight(norm.G), Weight(norm.B!)];

    // [rows, n_in] -> [rows, n_out]
    private string Project(string x, Gpt2Linear<Gpt2Weight> linear)
    {
        int nIn = linear.W.Shape[0], nOut = linear.W.Shape[1];
        return _bits == 32
            ? _file.Node("Gemm", [x, Weight(linear.W), Weight(linear.B!)])
            : MultiplyCodes(x, linear.W.Name, Transpose(linear.W.Values.Span, nIn, nOut), nIn, nOut, Weight(linear.B!));
    }

    // of the last position of each text: [rows, n_embd] -> [batch, n_vocab]
    private string Logits(string x, string wte)
    {
        string last = _file.Node("Gather", [_file.Node("Reshape", [x, _asTexts]), _file.Constant(OnnxType.Int64, isScalar: true, -1)], ("axis", 1));
        return _bits == 32
            ? _file.Node("Gemm", [last, wte], ("transB", 1))
            : MultiplyCodes(last, "logits", _parameters.LmHead.Values.ToArray(), _h.NEmbd, _h.NVocab, bias: "");
    }

    private string MultiplyCodes(string x, string name, float[] rows, int nIn, int nOut, string bias)
    {
        const int RoundActivations = 4; // to 8 bits: the fastest that there is
        var codes = BlockCodes.Of(rows, _bits);
        string b = _file.Weight<byte>($"{name}/codes", OnnxType.UInt8, codes.Codes, nOut, nIn / BlockCodes.Length, BlockCodes.Length * _bits / 8);
        string scales = _file.Weight<float>($"{name}/scales", OnnxType.Float32, codes.Scales, nOut, nIn / BlockCodes.Length);
        string[] inputs = bias.Length > 0 ? [x, b, scales, "", "", bias] : [x, b, scales];
        return _file.Node(
            ":MatMulNBits", inputs, ("K", nIn), ("N", nOut), ("bits", _bits), ("block_size", BlockCodes.Length), ("accuracy_level", RoundActivations));
    }

    private string Weight(Gpt2Weight weight) =>
        _file.Weight(weight.Name, OnnxType.Float32, weight.Values.Span, [.. weight.Shape.Select(length => (long)length)]);

    private string Vector(params long[] values) => _file.Constant(OnnxType.Int64, isScalar: false, values);

    private string ToInt32(string x) => _file.Node("Cast", [x], ("to", (int)OnnxType.Int32));

    private static float[] Transpose(ReadOnlySpan<float> values, int rows, int columns)
    {
        float[] transposed = new float[values.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++) transposed[(column * rows) + row] = values[(row * columns) + column];
        }

        return transposed;
    }
}
