using PicoGpt.Adapters;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>
/// The transformer blocks and the last layer norm backward: from the gradient of what left them to the gradient of what entered them, and
/// of their weights where that is wanted. Every function stands for the one of its name in <see cref="Gpt2Forward"/>.
/// </summary>
internal sealed unsafe class BlocksBackward : IDisposable
{
    private readonly Gpt2HyperParameters _h;
    private readonly Gpt2Forward _forward;
    private readonly Activations _activations;
    private readonly Gpt2Tree<Matrix>? _gradients;
    private readonly Gpt2Tree<LowRankPair>? _adapterGradients;
    private readonly AlignedBuffer _memory;
    private readonly Matrix _dx, _dnormed, _dqkv, _dhidden, _normed, _transposed;
    private readonly TransposeJob _transpose = new();
    private readonly InputGradientJob _input;
    private readonly WeightGradientJob _weights;
    private readonly LowRankGradientJob? _lowRank;
    private readonly LayerNormGradientJob _layerNorm;
    private readonly ActivationGradientJob _activation;
    private readonly AttentionGradientJob _attention;

    /// <param name="h">The shape.</param>
    /// <param name="forward">The forward pass, over whole texts.</param>
    /// <param name="workspace">Its workspace; what passes through the blocks is there after the pass, or the residual stream is.</param>
    /// <param name="length">The most tokens of a text.</param>
    /// <param name="gradients">Where the gradients of the weights are added to; <see langword="null"/> where they are not wanted.</param>
    /// <param name="adapters">Where those of an adapter are added to; <see langword="null"/> where the model has none.</param>
    public BlocksBackward(
        Gpt2HyperParameters h, Gpt2Forward forward, Workspace workspace, int length, Gpt2Tree<Matrix>? gradients, LowRankAdapter? adapters = null)
    {
        (_h, _forward, _activations, _gradients, _adapterGradients) = (h, forward, workspace.Activations, gradients, adapters?.Tree);
        int rows = workspace.Rows, widest = gradients is null ? 0 : Math.Max(h.NInner, h.NEmbd);
        int[] widths = [h.NEmbd, h.NEmbd, 3 * h.NEmbd, h.NInner, h.NEmbd];
        _memory = new AlignedBuffer(widths.Sum(width => (long)rows * (width + Kernels.Lanes)) + ((long)widest * (rows + Kernels.Lanes)));
        float* next = _memory.Data;
        (_dx, _dnormed, _dqkv, _dhidden, _normed) = (Take(widths[0]), Take(widths[1]), Take(widths[2]), Take(widths[3]), Take(widths[4]));
        _transposed = Matrix(widest, rows);

        Kernels kernels = workspace.Kernels;
        _input = new InputGradientJob(kernels);
        _weights = new WeightGradientJob(kernels);
        if (adapters is not null) _lowRank = new LowRankGradientJob(kernels, rows, adapters.Rank);
        _layerNorm = new LayerNormGradientJob(kernels, (float)h.LayerNormEpsilon);
        _activation = new ActivationGradientJob(kernels, ActivationFunction.Of(h.Activation));
        _attention = new AttentionGradientJob(kernels, h.NHead, h.HeadSize, length, workspace.Pool.Threads);

        Matrix Take(int columns) => Matrix(rows, columns);

        // A cache line is added to every row, as the activations have it.
        Matrix Matrix(int count, int columns)
        {
            var matrix = new Matrix(next, count, columns, columns + Kernels.Lanes);
            next += (nint)count * (columns + Kernels.Lanes);
            return matrix;
        }
    }

    /// <summary>The gradient of the residual stream, of what left the blocks and then of what entered them: [rows, n_embd].</summary>
    public Matrix Residual => _dx;

    /// <summary>The gradient of what a layer norm gave: [rows, n_embd].</summary>
    public Matrix Normed => _dnormed;

    /// <summary>Goes through all blocks, from <see cref="Residual"/> to <see cref="Residual"/>.</summary>
    /// <param name="rows">The rows of the batch.</param>
    /// <param name="recomputes">Whether every block is run again first, because what passed through it was not kept.</param>
    /// <param name="cancellationToken">Ends it; the gradients are half done then.</param>
    public void Run(int rows, bool recomputes, CancellationToken cancellationToken)
    {
        _forward.Rewind();
        for (int layer = _h.NLayer - 1; layer >= 0; layer--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (recomputes) _forward.Repeat(layer);
            TransformerBlock(_activations[layer], layer, _dx.Take(rows));
        }
    }

    /// <summary>The last layer norm of some rows: adds to the gradient of what entered it.</summary>
    /// <param name="x">What entered it: [n, n_embd].</param>
    /// <param name="dy">The gradient of what it gave: [n, n_embd].</param>
    /// <param name="dx">What grows: [n, n_embd].</param>
    public void FinalNorm(Matrix x, Matrix dy, Matrix dx) => LayerNorm(x, _forward.Parameters.LnF, dy, _gradients?.LnF, dx);

    public void Dispose()
    {
        _attention.Dispose();
        _lowRank?.Dispose();
        _memory.Dispose();
    }

    private void TransformerBlock(BlockActivations a, int layer, Matrix dx) // [n_rows, n_embd] -> [n_rows, n_embd], in place
    {
        Gpt2Block<PinnedWeight> block = _forward.Parameters.Blocks[layer];
        Gpt2Block<Matrix>? gradient = _gradients?.Blocks[layer];
        Gpt2Block<LowRankPair>? adapter = _adapterGradients?.Blocks[layer];
        int rows = dx.Rows;

        // position-wise feed-forward network
        Matrix dhidden = Project(a.Gelu.Take(rows), block.Mlp.CProj, dx, gradient?.Mlp.CProj, adapter?.Mlp.CProj, _dhidden.Take(rows)); // -> [n_rows, n_inner]
        Activate(a.Hidden.Take(rows), dhidden);
        Matrix dnormed = Project(a.Ln2.Take(rows), block.Mlp.CFc, dhidden, gradient?.Mlp.CFc, adapter?.Mlp.CFc, _dnormed.Take(rows)); // -> [n_rows, n_embd]
        LayerNorm(a.ResidualMiddle.Take(rows), block.Ln2, dnormed, gradient?.Ln2, dx);

        // multi-head causal self attention
        Matrix dheads = Project(a.Heads.Take(rows), block.Attn.CProj, dx, gradient?.Attn.CProj, adapter?.Attn.CProj, _dnormed.Take(rows)); // -> [n_rows, n_embd]
        Matrix dqkv = Attend(a.Qkv.Take(rows), layer, dheads, _dqkv.Take(rows)); // [n_rows, n_embd] -> [n_rows, 3 n_embd]
        dnormed = Project(a.Ln1.Take(rows), block.Attn.CAttn, dqkv, gradient?.Attn.CAttn, adapter?.Attn.CAttn, _dnormed.Take(rows)); // -> [n_rows, n_embd]
        LayerNorm(a.ResidualBefore.Take(rows), block.Ln1, dnormed, gradient?.Ln1, dx);
    }

    private Matrix Project(
        Matrix x, Gpt2Linear<PinnedWeight> linear, Matrix dy, Gpt2Linear<Matrix>? gradient, Gpt2Linear<LowRankPair>? adapter, Matrix dx)
    {
        if (gradient is not null && (gradient.W.Rows > 0 || gradient.B.Rows > 0))
        {
            _weights.Xt = Transpose(x);
            _weights.Dy = dy;
            _weights.Dw = gradient.W;
            _weights.Db = gradient.B.Data;
            _forward.Pool.Run(_weights);
        }

        _input.Dy = dy;
        _input.W = linear.W;
        _input.Dx = dx;
        _forward.Pool.Run(_input);
        if (adapter?.W.IsThere == true) _lowRank!.Run(_forward.Pool, x, linear.W.LowRank, dy, adapter.W, dx);
        return dx;
    }

    private void LayerNorm(Matrix x, Gpt2LayerNorm<PinnedWeight> norm, Matrix dy, Gpt2LayerNorm<Matrix>? gradient, Matrix dx)
    {
        _layerNorm.X = x;
        _layerNorm.G = norm.G;
        _layerNorm.Dy = dy;
        _layerNorm.Normed = _normed.Take(x.Rows);
        _layerNorm.Dx = dx;
        _layerNorm.IsOfWeights = false;
        _forward.Pool.Run(_layerNorm);
        if (gradient is null || (gradient.G.Rows == 0 && gradient.B.Rows == 0)) return;
        _layerNorm.Dg = gradient.G.Data;
        _layerNorm.Db = gradient.B.Data;
        _layerNorm.IsOfWeights = true;
        _forward.Pool.Run(_layerNorm);
    }

    private void Activate(Matrix x, Matrix dy)
    {
        _activation.X = x;
        _activation.Dy = dy;
        _forward.Pool.Run(_activation);
    }

    private Matrix Attend(Matrix qkv, int layer, Matrix dy, Matrix dqkv)
    {
        _attention.Texts = _forward.Texts;
        _attention.Layer = layer;
        _attention.Scale = _h.AttentionScale(layer);
        _attention.Qkv = qkv;
        _attention.Dy = dy;
        _attention.Dqkv = dqkv;
        _forward.Pool.Run(_attention);
        return dqkv;
    }

    private Matrix Transpose(Matrix x) // [n, m] -> [m, n]
    {
        _transpose.X = x;
        _transpose.Y = new Matrix(_transposed.Data, x.Columns, x.Rows, _transposed.Stride);
        _forward.Pool.Run(_transpose);
        return _transpose.Y;
    }
}
