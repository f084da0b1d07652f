using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PicoGpt.Numerics;

/// <summary>
/// The loops that cost the time. Every variant gives the same bits, because each output element is summed in one order:
/// a matrix product walks its inner dimension from first to last with fused multiply-add; a sum or dot product keeps
/// <see cref="Lanes"/> partial sums, element <c>i</c> going to lane <c>i mod 16</c>, and folds them by halves; sums of integers are exact.
/// </summary>
internal abstract unsafe class Kernels
{
    /// <summary>The number of partial sums of a sum or dot product, whatever the hardware's width.</summary>
    public const int Lanes = 16;

    /// <summary>Positions whose keys stand together in the key/value cache.</summary>
    public const int KeyBlock = 32;

    /// <summary>Values that <see cref="Round"/> takes at once.</summary>
    public const int RoundedTogether = 2 * Lanes;

    /// <summary>Rows that are computed together where there are that many.</summary>
    public const int TileRows = 6;

    /// <summary>The most columns of a matrix that are packed together.</summary>
    public const int PanelColumns = 32;

    /// <summary>Every variant that this machine can run, the plain loops last.</summary>
    public static IReadOnlyList<Kernels> All { get; } = FindAll();

    /// <summary>The fastest variant of this machine; the environment variable PICOGPT_SIMD (512, 256, 128 or plain) overrides it.</summary>
    public static Kernels Best { get; } = Choose(Environment.GetEnvironmentVariable("PICOGPT_SIMD"));

    /// <summary>The variant's name: the vector width in bits, or "plain".</summary>
    public abstract string Name { get; }

    /// <summary>The best variant, or the named one where this machine can run it.</summary>
    public static Kernels Choose(string? name) =>
        All.FirstOrDefault(k => string.Equals(k.Name, name, StringComparison.OrdinalIgnoreCase)) ?? All[0];

    /// <summary>The blocks of <see cref="KeyBlock"/> positions that so many take.</summary>
    public static int KeyBlocks(int positions) => (positions + KeyBlock - 1) / KeyBlock;

    /// <summary>The elements from the first position's first key to that of another: keys lie as [blocks, headSize, <see cref="KeyBlock"/>].</summary>
    public static nint KeyOffset(int position, int headSize) => ((nint)(position / KeyBlock) * headSize * KeyBlock) + (position % KeyBlock);

    /// <summary><c>y[:, from..to] = x · w[:, from..to] + b[from..to]</c>.</summary>
    /// <param name="x">[n_seq, n_in].</param>
    /// <param name="w">[n_in, n_out].</param>
    /// <param name="b">[n_out], or null for none.</param>
    /// <param name="y">[n_seq, n_out].</param>
    /// <param name="from">The first column to compute.</param>
    /// <param name="to">The column behind the last one.</param>
    public abstract void MatMul(Matrix x, Matrix w, float* b, Matrix y, int from, int to);

    /// <summary><c>y[:, from..to] = x · w[from..to]ᵀ</c>: [n_seq, n_in], [n_out, n_in] -> [n_seq, n_out].</summary>
    public abstract void MatMulTransposed(Matrix x, Matrix w, Matrix y, int from, int to);

    /// <summary><c>y[:, from..to] = x · w[:, from..to] + b[from..to]</c> with a matrix of floating-point values, the bits of float32 arithmetic on them.</summary>
    /// <param name="x">[n_seq, n_in].</param>
    /// <param name="w">[n_in, n_out].</param>
    /// <param name="b">[n_out], or null for none.</param>
    /// <param name="y">[n_seq, n_out].</param>
    /// <param name="from">The first column to compute, a multiple of <see cref="PackedMatrix.Side"/>.</param>
    /// <param name="to">The column behind the last one, a multiple of the same or the last of all.</param>
    public abstract void MatMulPacked(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to);

    /// <summary>Rounds some rows to integers of 16 bits, group by group.</summary>
    /// <param name="x">[n_seq, n].</param>
    /// <param name="y">[n_seq, n].</param>
    /// <param name="from">The first row.</param>
    /// <param name="to">The row behind the last one.</param>
    public abstract void Quantize(Matrix x, QuantizedMatrix y, int from, int to);

    /// <summary>
    /// <c>y[:, from..to] = x · w[:, from..to] + b[from..to]</c> with a matrix of integers: for every block of w the exact sum of products of
    /// integers, times the product of the scales of w and x, each block's added to the sum of those before it.
    /// </summary>
    /// <param name="x">[n_seq, n_in], with groups of as many columns as blocks of w have rows.</param>
    /// <param name="w">[n_in, n_out].</param>
    /// <param name="b">[n_out], or null for none.</param>
    /// <param name="y">[n_seq, n_out].</param>
    /// <param name="from">The first column to compute, a multiple of <see cref="PackedMatrix.Side"/>.</param>
    /// <param name="to">The column behind the last one, a multiple of the same or the last of all.</param>
    public abstract void MatMulQuantized(QuantizedMatrix x, PackedMatrix w, float* b, Matrix y, int from, int to);

    /// <summary>
    /// Layer norm with biased variance, of some rows: [n_seq, n] -> [n_seq, n]. <paramref name="b"/> is null for no bias; to the variance
    /// <paramref name="epsilon"/> is added.
    /// </summary>
    public abstract void LayerNorm(Matrix x, float* g, float* b, float epsilon, Matrix y, int from, int to);

    /// <summary>An activation function, in place.</summary>
    public abstract void Activate(ActivationFunction function, float* x, int count);

    /// <summary><c>y += x</c>.</summary>
    public abstract void Add(float* y, float* x, int count);

    /// <summary>
    /// <c>scores[t, j] = q[t] · k[j] · scale</c> for whole blocks of <see cref="KeyBlock"/> positions:
    /// [n_seq, headSize] -> [n_seq, blocks · KeyBlock].
    /// Keys lie as [blocks, headSize, KeyBlock].
    /// </summary>
    public abstract void Scores(Matrix q, float* keys, float scale, Matrix scores);

    /// <summary>The same of rounded keys: each is an integer times its position's scale, [blocks · KeyBlock].</summary>
    public abstract void Scores(Matrix q, short* keys, float* scales, float scale, Matrix scores);

    /// <summary>
    /// Softmax of the first <paramref name="count"/> elements, in place, with the maximum subtracted first. The memory
    /// up to the next multiple of <see cref="Lanes"/> must be there and is overwritten.
    /// </summary>
    public abstract void Softmax(float* x, int count);

    /// <summary>
    /// <c>y[t] = Σ p[t, j] · values[j]</c>, j from first to last; row t has <paramref name="count"/> + t positions, as causal
    /// attention has: [n_seq, ≥ count + n_seq − 1], [≥ count + n_seq − 1, width] -> [n_seq, width]. The width is a multiple of
    /// <see cref="Lanes"/>.
    /// </summary>
    public abstract void WeightedSum(Matrix p, float* values, int count, Matrix y);

    /// <summary>The same of rounded values: each is an integer times its position's scale, [≥ count + n_seq − 1].</summary>
    public abstract void WeightedSum(Matrix p, short* values, float* scales, int count, Matrix y);

    /// <summary>
    /// Rounds a key or value to integers of 16 bits, as <see cref="QuantizedMatrix"/> has them: what is greatest becomes ±32767, and
    /// what is not a number makes the scale none. The memory of y up to the next multiple of <see cref="RoundedTogether"/> is overwritten.
    /// </summary>
    /// <returns>The scale.</returns>
    public abstract float Round(float* x, short* y, int count);

    /// <summary>A block of rounded keys as <see cref="Scores(Matrix, short*, float*, float, Matrix)"/> takes them: [headSize, KeyBlock].</summary>
    public abstract void WidenKeys(short* keys, float* scales, int headSize, float* y);

    /// <summary>Rounded values as <see cref="WeightedSum(Matrix, short*, float*, int, Matrix)"/> takes them: [count, width].</summary>
    public abstract void WidenValues(short* values, float* scales, int count, int width, float* y);

    /// <summary><c>y[:, from..to] += x · w[:, from..to]</c>: every sum continues what is there, so that several products in a row give the bits of one.</summary>
    public abstract void MatMulAdd(Matrix x, Matrix w, Matrix y, int from, int to);

    /// <summary>
    /// What a product's input has in the gradient, <c>dx[:, from..to] = dy · w[from..to]ᵀ</c>, each sum from first to last:
    /// [n_seq, n_out], [n_in, n_out] -> [n_seq, n_in].
    /// </summary>
    public abstract void MatMulBackward(Matrix dy, Matrix w, Matrix dx, int from, int to);

    /// <summary>
    /// What a layer norm's input has in the gradient, of some rows: <paramref name="dx"/> grows by it, and the rows without gain and bias are
    /// left in <paramref name="normed"/>. All are [n_seq, n].
    /// </summary>
    public abstract void LayerNormBackward(Matrix x, float* g, float epsilon, Matrix dy, Matrix normed, Matrix dx, int from, int to);

    /// <summary><c>dy *= f'(x)</c> of an activation function.</summary>
    public abstract void ActivateBackward(ActivationFunction function, float* x, float* dy, int count);

    /// <summary>The gradient before a softmax of p, times a scale, in place: <c>dp = p · (dp − p·dp) · scale</c>.</summary>
    public abstract void SoftmaxBackward(float* p, float* dp, float scale, int count);

    /// <summary><c>y += x · w</c>, element by element.</summary>
    public abstract void MultiplyAdd(float* y, float* x, float* w, int count);

    /// <summary><c>x *= factor</c>.</summary>
    public abstract void Scale(float* x, float factor, int count);

    /// <summary>The sum of the squares, by <see cref="Lanes"/> partial sums.</summary>
    public abstract float SumOfSquares(float* x, int count);

    /// <summary>One step of AdamW on some values of a weight, from their gradient and both of its moments.</summary>
    public abstract void AdamW(float* w, float* g, float* m, float* v, int count, in AdamWFactors factors);

    /// <summary>Folds sixteen partial sums by halves: 16 → 8 → 4 → 2 → 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // into loops that are compiled with all optimizations at once, as this would not be
    internal static float Fold(float* lanes)
    {
        Vector128<float> four = FoldToFour(lanes);
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>Folds four times sixteen partial sums, each as <see cref="Fold"/> does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> Fold4(float* lanes)
    {
        Vector128<float> a = FoldToFour(lanes), b = FoldToFour(lanes + Lanes);
        Vector128<float> c = FoldToFour(lanes + (2 * Lanes)), d = FoldToFour(lanes + (3 * Lanes));
        Vector128<float> acLow = VectorZip.Low(a, c), acHigh = VectorZip.High(a, c);
        Vector128<float> bdLow = VectorZip.Low(b, d), bdHigh = VectorZip.High(b, d);
        Vector128<float> evens = VectorZip.Low(acLow, bdLow) + VectorZip.Low(acHigh, bdHigh); // elements 0 and 2 of each
        Vector128<float> odds = VectorZip.High(acLow, bdLow) + VectorZip.High(acHigh, bdHigh);
        return evens + odds;
    }

    /// <summary>So many elements and as many more as fill up the last cache line.</summary>
    internal static long Padded(long length) => (length + Lanes - 1) / Lanes * Lanes;

    /// <summary>The elements to take from the stack for so many that begin where a cache line does.</summary>
    internal static int AlignedLength(int length) => length + Lanes;

    /// <summary>The first place where a cache line begins.</summary>
    internal static float* Align(float* memory) => (float*)(((nint)memory + (Lanes * sizeof(float)) - 1) & -(Lanes * sizeof(float)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FoldToFour(float* lanes) =>
        (Vector128.Load(lanes) + Vector128.Load(lanes + 8)) + (Vector128.Load(lanes + 4) + Vector128.Load(lanes + 12));

    private static List<Kernels> FindAll()
    {
        RuntimeHelpers.RunClassConstructor(typeof(StreamAhead).TypeHandle); // a constant for the loops, if it is known before they are compiled
        List<Kernels> kernels = [];
        if (Vector512.IsHardwareAccelerated) kernels.Add(new SimdKernels<Width512, Vector512<float>>());
        if (Vector256.IsHardwareAccelerated) kernels.Add(new SimdKernels<Width256, Vector256<float>>());
        if (Vector128.IsHardwareAccelerated) kernels.Add(new SimdKernels<Width128, Vector128<float>>());
        kernels.Add(new PlainKernels());
        return kernels;
    }
}
