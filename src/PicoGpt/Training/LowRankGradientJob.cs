using PicoGpt.Adapters;
using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>
/// An adapter backward, in two steps: by rows, what it passed through, <c>h = scale · x·aᵀ</c>, again, and its gradient
/// <c>dh = scale · dy·bᵀ</c>; then by columns <c>db += hᵀ·dy</c>, <c>da += dhᵀ·x</c> and <c>dx += dh·a</c>.
/// </summary>
internal sealed unsafe class LowRankGradientJob : Job, IDisposable
{
    private readonly Kernels _kernels;
    private readonly AlignedBuffer _memory;
    private readonly int _maxRows;
    private bool _isByColumns;
    private Matrix _x, _dy, _dx, _h, _dh, _hT, _dhT;
    private LowRankPair _pair, _gradient;

    /// <param name="kernels">The loops.</param>
    /// <param name="rows">The most rows of a batch.</param>
    /// <param name="rank">The rank of the adapters.</param>
    public LowRankGradientJob(Kernels kernels, int rows, int rank)
    {
        (_kernels, _maxRows) = (kernels, rows);
        _memory = new AlignedBuffer(4L * rows * rank);
    }

    /// <summary>Adds to the gradient of an adapter, and of what entered it.</summary>
    /// <param name="pool">The threads.</param>
    /// <param name="x">What entered it: [n_rows, in].</param>
    /// <param name="pair">Its matrices.</param>
    /// <param name="dy">The gradient of what the projection gave: [n_rows, out].</param>
    /// <param name="gradient">The gradient of the matrices, which grows.</param>
    /// <param name="dx">The gradient of what entered it, which grows: [n_rows, in].</param>
    public void Run(WorkerPool pool, Matrix x, LowRankPair pair, Matrix dy, LowRankPair gradient, Matrix dx)
    {
        (_x, _pair, _dy, _gradient, _dx) = (x, pair, dy, gradient, dx);
        int rank = pair.A.Rows;
        nint length = (nint)_maxRows * rank;
        float* memory = _memory.Data;
        (_h, _dh) = (new Matrix(memory, x.Rows, rank), new Matrix(memory + length, x.Rows, rank));
        (_hT, _dhT) = (new Matrix(memory + (2 * length), rank, x.Rows), new Matrix(memory + (3 * length), rank, x.Rows));
        _isByColumns = false;
        pool.Run(this);
        _isByColumns = true;
        pool.Run(this);
    }

    public override void Execute(int part, int parts)
    {
        if (_isByColumns) AddToGradients(part, parts);
        else PassNarrow(part, parts);
    }

    public void Dispose() => _memory.Dispose();

    private void PassNarrow(int part, int parts)
    {
        (int from, int to) = Share(_x.Rows, part, parts);
        if (from == to) return;
        LowRankJob.Run(_kernels, _x, _pair.A, _pair.Scale, _h, from, to); // [n_rows, in] -> [n_rows, rank]
        LowRankJob.Run(_kernels, _dy, _pair.B, _pair.Scale, _dh, from, to); // [n_rows, out] -> [n_rows, rank]
        for (int t = from; t < to; t++)
        {
            for (int k = 0; k < _h.Columns; k++) (_hT.RowPointer(k)[t], _dhT.RowPointer(k)[t]) = (_h.RowPointer(t)[k], _dh.RowPointer(t)[k]);
        }
    }

    private void AddToGradients(int part, int parts)
    {
        (int from, int to) = Share(_dy.Columns, part, parts, Kernels.PanelColumns);
        if (from < to) _kernels.MatMulAdd(_hT, _dy, _gradient.B, from, to); // [rank, n_rows] -> [rank, out]
        (from, to) = Share(_x.Columns, part, parts, Kernels.PanelColumns);
        if (from == to) return;
        _kernels.MatMulAdd(_dhT, _x, _gradient.A, from, to); // [rank, n_rows] -> [rank, in]
        _kernels.MatMulAdd(_dh, _pair.A, _dx, from, to); // [n_rows, rank] -> [n_rows, in]
    }
}
