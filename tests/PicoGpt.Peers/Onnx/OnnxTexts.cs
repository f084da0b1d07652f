using Microsoft.ML.OnnxRuntime;
using PicoGpt.Architecture;

namespace PicoGpt.Peers.Onnx;

/// <summary>Texts of one length that a session reads together, and the memory that its inputs and outputs are bound to.</summary>
internal sealed class OnnxTexts : IDisposable
{
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly List<OrtValue> _bound = [];
    private readonly float[] _logits;
    private readonly int _count;

    /// <param name="session">The session.</param>
    /// <param name="shape">The shape of the model.</param>
    /// <param name="count">How many texts.</param>
    /// <param name="capacity">The most positions of each.</param>
    public OnnxTexts(InferenceSession session, Gpt2HyperParameters shape, int count, int capacity)
    {
        (_session, _count) = (session, count);
        _logits = new float[count * shape.NVocab];
        _binding = session.CreateIoBinding();
        _binding.BindOutput("logits", Keep(_logits, count, 1, shape.NVocab));
        for (int layer = 0; layer < shape.NLayer; layer++)
        {
            foreach (string part in (string[])["key", "value"])
            {
                OrtValue cache = Keep(new float[count * capacity * shape.NEmbd], count, shape.NHead, capacity, shape.HeadSize);
                _binding.BindInput($"past_key_values.{layer}.{part}", cache);
                _binding.BindOutput($"present.{layer}.{part}", cache); // the same memory: new positions are written behind the others
            }
        }
    }

    /// <summary>Positions of each text that were read.</summary>
    public int Length { get; set; }

    /// <summary>Reads on in every text.</summary>
    /// <param name="ids">Their next tokens, [texts, n_seq].</param>
    /// <returns>The logits after the last of each, [texts, n_vocab].</returns>
    public ReadOnlySpan<float> Run(ReadOnlySpan<int> ids)
    {
        int rows = ids.Length / _count, before = Length;
        Length += rows;
        long[] values = new long[ids.Length], positions = new long[ids.Length], mask = new long[_count * Length];
        for (int i = 0; i < ids.Length; i++) (values[i], positions[i]) = (ids[i], before + (i % rows));
        Array.Fill(mask, 1);
        using OrtValue idsValue = Value(values, _count, rows), positionsValue = Value(positions, _count, rows), maskValue = Value(mask, _count, Length);
        _binding.BindInput("input_ids", idsValue);
        _binding.BindInput("position_ids", positionsValue);
        _binding.BindInput("attention_mask", maskValue);
        _session.RunWithBinding(_options, _binding);
        return _logits;
    }

    public void Dispose()
    {
        _binding.Dispose();
        foreach (OrtValue value in _bound) value.Dispose();
        _options.Dispose();
    }

    private OrtValue Keep(float[] values, params long[] shape)
    {
        _bound.Add(Value(values, shape));
        return _bound[^1];
    }

    private static OrtValue Value<T>(T[] values, params long[] shape)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(values, shape);
}
