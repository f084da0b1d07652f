using System.Runtime.ExceptionServices;

namespace PicoGpt.Numerics;

/// <summary>A loop on all processors, whose faults are those of its body.</summary>
internal static class ParallelLoop
{
    /// <summary>Runs the body for 0 to <paramref name="count"/> − 1, in any order.</summary>
    /// <remarks><see cref="Parallel"/> would hide a fault in an <see cref="AggregateException"/>, in which nobody finds it.</remarks>
    public static void For(int count, Action<int> body)
    {
        try
        {
            Parallel.For(0, count, body);
        }
        catch (AggregateException faults)
        {
            ExceptionDispatchInfo.Throw(faults.InnerExceptions[0]);
        }
    }
}
