using System.Buffers;
using PicoGpt.Numerics;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>
/// The weights at fixed addresses for the length of a computation. While they are pinned the files stay mapped, even if
/// the model is closed meanwhile.
/// </summary>
internal sealed unsafe class PinnedParameters : IDisposable
{
    private readonly List<MemoryHandle> _handles = [];

    private readonly Gpt2Parameters _parameters;
    private readonly PackedWeights? _packed;

    /// <param name="parameters">The weights.</param>
    /// <param name="packed">The matrices in less than float32, or <see langword="null"/> for the weights' own.</param>
    public PinnedParameters(Gpt2Parameters parameters, PackedWeights? packed)
    {
        _parameters = parameters;
        _packed = packed;
        Verify([.. _packed is null ? _parameters : _parameters.Except(PackedWeights.MatricesOf(_parameters))]);
        try
        {
            Wte = Matrix(parameters.Wte);
            Wpe = Matrix(parameters.Wpe).Plain;
            Blocks = [.. parameters.Blocks.Select(Block)];
            LnF = LayerNorm(parameters.LnF);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>[n_vocab, n_embd]; packed, it is transposed.</summary>
    public PinnedMatrix Wte { get; }

    /// <summary>[n_ctx, n_embd].</summary>
    public Matrix Wpe { get; }

    public PinnedBlock[] Blocks { get; }

    public PinnedLayerNorm LnF { get; }

    public void Dispose()
    {
        foreach (MemoryHandle handle in _handles) handle.Dispose();
        _handles.Clear();
    }

    // The first use of a weight reads it all, to verify its checksum: side by side that takes a tenth of a second a gigabyte.
    private static void Verify(Gpt2Weight[] weights) => ParallelLoop.For(weights.Length, i => _ = weights[i].Values);

    private PinnedBlock Block(Gpt2Block block) => new(
        LayerNorm(block.Ln1),
        Linear(block.Attn.CAttn),
        Linear(block.Attn.CProj),
        LayerNorm(block.Ln2),
        Linear(block.Mlp.CFc),
        Linear(block.Mlp.CProj));

    private PinnedLayerNorm LayerNorm(Gpt2LayerNorm norm) => new(Pin(norm.G), Pin(norm.B));

    private PinnedLinear Linear(Gpt2Linear linear) => new(Matrix(linear.W), Pin(linear.B));

    private PinnedMatrix Matrix(Gpt2Weight weight)
    {
        if (_packed is null || weight == _parameters.Wpe) return new PinnedMatrix(new Matrix(Pin(weight), weight.Shape[0], weight.Shape[1]));
        byte* bytes = (byte*)Pin(_packed[weight]);
        return new PinnedMatrix(_packed.MatrixOf(_parameters, weight, bytes));
    }

    private float* Pin(Gpt2Weight weight)
    {
        ReadOnlyMemory<float> values = weight.Values;
        if (values.Length != weight.Count)
            throw new InvalidOperationException($"{weight.Name} has {values.Length} values where its shape has {weight.Count}.");
        return (float*)Pin(values);
    }

    private void* Pin<T>(ReadOnlyMemory<T> memory)
    {
        MemoryHandle handle = memory.Pin();
        _handles.Add(handle);
        return handle.Pointer;
    }
}
