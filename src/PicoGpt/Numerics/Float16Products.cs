using System.Runtime.CompilerServices;

namespace PicoGpt.Numerics;

/// <summary>
/// The loops over halves. Of a few rows of x, these are scaled instead of the weights, once instead of for every product: both scale exactly, so that
/// no bit differs. Either way small halves are subnormal floats for a moment, over which Intel's processors take a hundred times as long: there
/// weights are unpacked by more operations, without these.
/// </summary>
/// <param name="avoidsSubnormals">Whether no float is subnormal on the way.</param>
internal sealed unsafe class Float16Products(bool avoidsSubnormals) : FloatFormatOf<Float16Format>
{
    // Of more rows the weights' share is small.
    private const int MaxRows = 4;

    // Values that are scaled on the stack.
    private const int MaxLength = 32 * 1024;

    // What is smaller does not pass the greatest float when it is scaled.
    private const float Limit = 65536;

    public override void MatMul<TWidth, TVector>(Matrix x, PackedMatrix w, float* b, Matrix y, int from, int to)
    {
        if (avoidsSubnormals)
        {
            PackedProducts<WidenedFloat16Format, TWidth, TVector>.MatMul(x, w, b, y, from, to);
            return;
        }

        bool areFew = x.Rows <= MaxRows && x.Rows * x.Columns <= MaxLength;
        float* memory = stackalloc float[areFew ? Kernels.AlignedLength(x.Rows * x.Columns) : 0];
        var scaled = new Matrix(Kernels.Align(memory), x.Rows, x.Columns);
        if (areFew && TryScale<TWidth, TVector>(x, scaled)) PackedProducts<ScaledFloat16Format, TWidth, TVector>.MatMul(scaled, w, b, y, from, to);
        else base.MatMul<TWidth, TVector>(x, w, b, y, from, to);
    }

    // false where a value is not a number or would be none
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryScale<TWidth, TVector>(Matrix x, Matrix scaled)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        float* lanes = stackalloc float[TWidth.Count];
        TVector most = TWidth.Broadcast(0f), scale = TWidth.Broadcast(Float16Format.Scale);
        float rest = 0;
        for (int t = 0; t < x.Rows; t++)
        {
            float* source = x.RowPointer(t), target = scaled.RowPointer(t);
            int i = 0;
            for (; i + TWidth.Count <= x.Columns; i += TWidth.Count)
            {
                TVector values = TWidth.Load(source + i);
                most = TWidth.MaxMagnitude(most, values);
                TWidth.Store(TWidth.Multiply(values, scale), target + i);
            }

            for (; i < x.Columns; i++)
            {
                rest = MathF.Max(rest, MathF.Abs(source[i])); // what is not a number stays
                target[i] = source[i] * Float16Format.Scale;
            }
        }

        TWidth.Store(most, lanes);
        for (int i = 0; i < TWidth.Count; i++) rest = MathF.Max(rest, lanes[i]);
        return rest < Limit;
    }
}
