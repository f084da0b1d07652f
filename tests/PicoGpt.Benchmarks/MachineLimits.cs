using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Numerics;
using PicoGpt.Training;

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

    /// <summary>Seconds in which all threads together read parts of weights with gradient and moments, and write all but the gradient.</summary>
    public static double ReadFourWriteThree(IReadOnlyList<WeightPart> parts, int threads) => Time(threads, thread =>
    {
        for (int i = parts.Count * thread / threads; i < parts.Count * (thread + 1) / threads; i++) AddToAll(parts[i]);
    });

    /// <summary>Seconds in which all threads do their part of some work.</summary>
    public static double Time(int threads, Action<int> work)
    {
        long start = Stopwatch.GetTimestamp();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(part => new Thread(() => work(part)))];
        foreach (Thread thread in all) thread.Start();
        foreach (Thread thread in all) thread.Join();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Reads memory from end to end, asked for ahead where kernels find it faster so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Read(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            Vector256<int> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (byte* p = start; p + 128 <= start + bytes.Length; p += 128)
            {
                StreamAhead.AskToSecondLevel(p, 128);
                sum0 += Vector256.Load((int*)p);
                sum1 += Vector256.Load((int*)(p + 32));
                sum2 += Vector256.Load((int*)(p + 64));
                sum3 += Vector256.Load((int*)(p + 96));
            }

            GC.KeepAlive(Vector256.Sum(sum0 + sum1 + sum2 + sum3));
        }
    }

    private static void AddToAll(WeightPart part)
    {
        for (int i = 0; i + Vector256<float>.Count <= part.Count; i += Vector256<float>.Count)
        {
            Vector256<float> gradient = Vector256.Load(part.G + i);
            (Vector256.Load(part.W + i) + gradient).Store(part.W + i);
            (Vector256.Load(part.M + i) + gradient).Store(part.M + i);
            (Vector256.Load(part.V + i) + gradient).Store(part.V + i);
        }
    }

    private static void Multiply()
    {
        float result = Vector512.IsHardwareAccelerated ? Multiply<Width512, Vector512<float>>()
            : Vector256.IsHardwareAccelerated ? Multiply<Width256, Vector256<float>>()
            : Multiply<Width128, Vector128<float>>();
        GC.KeepAlive(result);
    }

    // Twelve independent chains hide the latency of the unit on every processor.
    private static float Multiply<TWidth, TVector>()
        where TWidth : struct, IWidth<TVector>
        where TVector : struct
    {
        TVector x = TWidth.Broadcast(1.0000001f), y = TWidth.Broadcast(1e-9f);
        TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < FmaRounds; n++)
        {
            a = TWidth.FusedMultiplyAdd(a, x, y);
            b = TWidth.FusedMultiplyAdd(b, x, y);
            c = TWidth.FusedMultiplyAdd(c, x, y);
            d = TWidth.FusedMultiplyAdd(d, x, y);
            e = TWidth.FusedMultiplyAdd(e, x, y);
            f = TWidth.FusedMultiplyAdd(f, x, y);
            g = TWidth.FusedMultiplyAdd(g, x, y);
            h = TWidth.FusedMultiplyAdd(h, x, y);
            i = TWidth.FusedMultiplyAdd(i, x, y);
            j = TWidth.FusedMultiplyAdd(j, x, y);
            k = TWidth.FusedMultiplyAdd(k, x, y);
            l = TWidth.FusedMultiplyAdd(l, x, y);
        }

        TVector sum = TWidth.Add(TWidth.Add(TWidth.Add(a, b), TWidth.Add(c, d)), TWidth.Add(TWidth.Add(e, f), TWidth.Add(g, h)));
        sum = TWidth.Add(sum, TWidth.Add(TWidth.Add(i, j), TWidth.Add(k, l)));
        float* lanes = stackalloc float[TWidth.Count];
        TWidth.Store(sum, lanes);
        return lanes[0];
    }
}
