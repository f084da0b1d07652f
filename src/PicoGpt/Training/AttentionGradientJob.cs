using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>
/// Multi-head causal self attention backward, divided by texts and heads. The patterns are computed again, some rows of a head at a time:
/// kept, they would take more memory than all other activations.
/// </summary>
internal sealed unsafe class AttentionGradientJob : Job, IDisposable
{
    // Rows of a pattern that are computed together; as a multiple of a block of keys, few of their positions are in the future.
    private const int RowBlock = 2 * Kernels.KeyBlock;

    private readonly Kernels _kernels;
    private readonly int _heads;
    private readonly int _headSize;
    private readonly int _stride;
    private readonly AlignedBuffer _scratch;

    /// <param name="kernels">The loops.</param>
    /// <param name="heads">n_head.</param>
    /// <param name="headSize">n_embd / n_head.</param>
    /// <param name="positions">The most positions of a text.</param>
    /// <param name="threads">The threads that work on it.</param>
    public AttentionGradientJob(Kernels kernels, int heads, int headSize, int positions, int threads)
    {
        (_kernels, _heads, _headSize) = (kernels, heads, headSize);
        _stride = (positions + RowBlock - 1) / RowBlock * RowBlock;
        _scratch = new AlignedBuffer(threads * ScratchLength);
    }

    /// <summary>Whole texts, from their first position on.</summary>
    public IReadOnlyList<TextRows> Texts { get; set; } = [];

    public int Layer { get; set; }

    /// <summary>What the scores are multiplied by.</summary>
    public float Scale { get; set; }

    /// <summary>Queries, keys and values: [n_rows, 3 n_embd].</summary>
    public Matrix Qkv { get; set; }

    /// <summary>The gradient of what the heads read: [n_rows, n_embd].</summary>
    public Matrix Dy { get; set; }

    /// <summary>The gradient of queries, keys and values: [n_rows, 3 n_embd].</summary>
    public Matrix Dqkv { get; set; }

    // patterns and their gradient, and the transposed of one of them
    private long ScratchLength => 3L * RowBlock * _stride;

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Texts.Count * _heads, part, parts);
        float* scratch = _scratch.Data + (part * ScratchLength);
        for (int item = from; item < to; item++) Attend(Texts[item / _heads], item % _heads, scratch);
    }

    public void Dispose() => _scratch.Dispose();

    private void Attend(TextRows text, int head, float* scratch)
    {
        int n_embd = _heads * _headSize;
        Matrix q = Of(Qkv, 0), k = Of(Qkv, n_embd), v = Of(Qkv, 2 * n_embd), dy = Of(Dy, 0); // [n_seq, head_size]
        Matrix dq = Of(Dqkv, 0), dk = Of(Dqkv, n_embd), dv = Of(Dqkv, 2 * n_embd);
        for (int t = 0; t < text.Rows; t++)
        {
            dk.Row(t).Clear();
            dv.Row(t).Clear();
        }

        for (int first = 0; first < text.Rows; first += RowBlock)
        {
            int rows = Math.Min(RowBlock, text.Rows - first), positions = first + rows;
            var p = new Matrix(scratch, rows, positions, _stride); // [rows, positions]
            var dp = new Matrix(scratch + (RowBlock * _stride), rows, positions, _stride);
            var transposed = new Matrix(scratch + (2 * RowBlock * _stride), positions, rows, RowBlock);
            Patterns(text.Cache, head, q.Skip(first).Take(rows), first, p);
            _kernels.MatMulBackward(dy.Skip(first).Take(rows), v, dp, 0, positions); // [rows, head_size] -> [rows, positions]
            Transpose(p, transposed);
            _kernels.MatMulAdd(transposed, dy.Skip(first).Take(rows), dv, 0, _headSize); // [positions, rows] -> [positions, head_size]
            for (int r = 0; r < rows; r++)
            {
                _kernels.SoftmaxBackward(p.RowPointer(r), dp.RowPointer(r), Scale, first + r + 1);
                dp.Row(r)[(first + r + 1)..].Clear();
            }

            _kernels.MatMul(dp, k.Take(positions), null, dq.Skip(first).Take(rows), 0, _headSize); // [rows, positions] -> [rows, head_size]
            Transpose(dp, transposed);
            _kernels.MatMulAdd(transposed, q.Skip(first).Take(rows), dk, 0, _headSize); // [positions, rows] -> [positions, head_size]
        }

        Matrix Of(Matrix m, int column) => new(m.RowPointer(text.Row) + column + (head * _headSize), text.Rows, _headSize, m.Stride);
    }

    // The bits of the forward pass: it takes six rows at a time, but no row's result depends on the others.
    private void Patterns(KeyValueCache cache, int head, Matrix q, int first, Matrix p)
    {
        int blocks = Kernels.KeyBlocks(p.Columns);
        var scores = new Matrix(p.Data, p.Rows, blocks * Kernels.KeyBlock, p.Stride);
        for (int r = 0; r < q.Rows; r += Kernels.TileRows)
        {
            int rows = Math.Min(Kernels.TileRows, q.Rows - r);
            _kernels.Scores(q.Skip(r).Take(rows), cache.Keys(Layer, head), Scale, scores.Skip(r).Take(rows));
        }

        for (int r = 0; r < p.Rows; r++)
        {
            _kernels.Softmax(p.RowPointer(r), first + r + 1);
            p.Row(r)[(first + r + 1)..].Clear();
        }
    }

    private static void Transpose(Matrix x, Matrix y) => Transposition.Copy(x.Data, x.Stride, x.Rows, x.Columns, y.Data, y.Stride);
}
