using System.Diagnostics;
using System.Runtime.Intrinsics;
using PicoGpt.Checkpoints;

namespace PicoGpt.Benchmarks;

/// <summary>What the machine can do at best, so that a speed can be told as a share of it.</summary>
internal static unsafe class MachineLimits
{
    private const int FmaRounds = 20_000_000;

    /// <summary>
    /// Bytes a second that all threads together read from a model's mapped data: the best of reading halves from end to end
    /// and of reading every tensor in halves, as a computation must.
    /// </summary>
    public static double ReadBandwidth(string model, int threads)
    {
        using TensorBundle bundle = TensorBundle.Open(model);
        TensorEntry[] entries = [.. bundle.Entries.OrderBy(e => e.Offset)];
        ReadOnlyMemory<byte>[] tensors = [.. entries.Select(bundle.GetBytes)];
        foreach (ReadOnlyMemory<byte> tensor in tensors) Read(tensor.Span); // maps the pages
        double bytes = entries.Sum(e => e.Size);
        double halves = bytes / Time(threads, part =>
        {
            int share = tensors.Length / threads; // tensors of a model repeat, layer by layer
            foreach (ReadOnlyMemory<byte> tensor in part == threads - 1 ? tensors[(part * share)..] : tensors[(part * share)..((part + 1) * share)])
                Read(tensor.Span);
        });
        double shares = bytes / Time(threads, part =>
        {
            foreach (ReadOnlyMemory<byte> tensor in tensors)
            {
                int share = tensor.Length / threads;
                Read(tensor.Span.Slice(part * share, share));
            }
        });
        return Math.Max(halves, shares);
    }

    /// <summary>Float32 operations a second, two a fused multiply-add, that all threads together reach.</summary>
    public static double PeakFlops(int threads)
    {
        double seconds = Time(threads, _ => Multiply());
        double lanes = Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;
        return 2.0 * 12 * lanes * FmaRounds * threads / seconds;
    }

    private static double Time(int threads, Action<int> work)
    {
        long start = Stopwatch.GetTimestamp();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(part => new Thread(() => work(part)))];
        foreach (Thread thread in all) thread.Start();
        foreach (Thread thread in all) thread.Join();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Read(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            Vector256<int> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (byte* p = start; p + 128 <= start + bytes.Length; p += 128)
            {
                sum0 += Vector256.Load((int*)p);
                sum1 += Vector256.Load((int*)(p + 32));
                sum2 += Vector256.Load((int*)(p + 64));
                sum3 += Vector256.Load((int*)(p + 96));
            }

            GC.KeepAlive(Vector256.Sum(sum0 + sum1 + sum2 + sum3));
        }
    }

    private static void Multiply()
    {
        float result = Vector512.IsHardwareAccelerated ? Multiply512() : Vector256.IsHardwareAccelerated ? Multiply256() : Multiply128();
        GC.KeepAlive(result);
    }

    // Twelve independent chains hide the latency of the unit on every processor.
    private static float Multiply512()
    {
        Vector512<float> x = Vector512.Create(1.0000001f), y = Vector512.Create(1e-9f);
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < FmaRounds; n++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    private static float Multiply256()
    {
        Vector256<float> x = Vector256.Create(1.0000001f), y = Vector256.Create(1e-9f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < FmaRounds; n++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    private static float Multiply128()
    {
        Vector128<float> x = Vector128.Create(1.0000001f), y = Vector128.Create(1e-9f);
        Vector128<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < FmaRounds; n++)
        {
            a = Vector128.FusedMultiplyAdd(a, x, y);
            b = Vector128.FusedMultiplyAdd(b, x, y);
            c = Vector128.FusedMultiplyAdd(c, x, y);
            d = Vector128.FusedMultiplyAdd(d, x, y);
            e = Vector128.FusedMultiplyAdd(e, x, y);
            f = Vector128.FusedMultiplyAdd(f, x, y);
            g = Vector128.FusedMultiplyAdd(g, x, y);
            h = Vector128.FusedMultiplyAdd(h, x, y);
            i = Vector128.FusedMultiplyAdd(i, x, y);
            j = Vector128.FusedMultiplyAdd(j, x, y);
            k = Vector128.FusedMultiplyAdd(k, x, y);
            l = Vector128.FusedMultiplyAdd(l, x, y);
        }

        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
