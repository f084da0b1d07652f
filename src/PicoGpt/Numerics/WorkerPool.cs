using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace PicoGpt.Numerics;

/// <summary>
/// Threads that stay for the life of a computation and meet at a barrier after every job. A token takes some sixty jobs
/// of a fraction of a millisecond; waking a sleeping thread for each would cost more than the work, so a worker spins
/// for a moment before it sleeps.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 5000; // 200 µs

    private readonly Thread[] _workers;
    private readonly Lock _running = new();
    private readonly object _gate = new();
    private Job? _job;
    private Exception? _fault;
    private int _round;
    private int _pending;
    private int _sleepers;
    private bool _stopping;

    /// <param name="threads">How many threads work on a job, the calling one included.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int part = i + 1;
            _workers[i] = new Thread(() => Work(part)) { IsBackground = true, Name = "PicoGpt worker" };
            _workers[i].Start();
        }
    }

    /// <summary>How many threads work on a job.</summary>
    public int Threads { get; }

    /// <summary>Runs the job's shares on all threads and returns when the last is done; rethrows what a share threw.</summary>
    public void Run(Job job)
    {
        lock (_running)
        {
            job.Prepare(Threads);
            if (_workers.Length == 0)
            {
                job.Execute(0, 1);
                return;
            }

            Publish(job);
            try
            {
                job.Execute(0, Threads);
            }
            finally
            {
                AwaitWorkers();
            }

            if (Interlocked.Exchange(ref _fault, null) is { } fault) ExceptionDispatchInfo.Throw(fault);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Volatile.Write(ref _stopping, true);
            Monitor.PulseAll(_gate);
        }

        foreach (Thread worker in _workers) worker.Join();
    }

    private void Publish(Job job)
    {
        _job = job;
        _pending = _workers.Length;
        Interlocked.Increment(ref _round);
        if (Volatile.Read(ref _sleepers) == 0) return;
        lock (_gate) Monitor.PulseAll(_gate);
    }

    private void AwaitWorkers()
    {
        SpinWait spin = default;
        while (Volatile.Read(ref _pending) != 0) spin.SpinOnce(sleep1Threshold: -1);
    }

    private void Work(int part)
    {
        int seen = 0;
        while (AwaitRound(seen))
        {
            seen++;
            try
            {
                _job!.Execute(part, Threads);
            }
            catch (Exception exception) // an exception that leaves a thread ends the process; Run rethrows it
            {
                Interlocked.CompareExchange(ref _fault, exception, null);
            }

            Interlocked.Decrement(ref _pending);
        }
    }

    // false when the pool is to stop
    private bool AwaitRound(int seen)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetTimestamp() - start < SpinTicks)
        {
            if (Volatile.Read(ref _round) != seen) return true;
            if (Volatile.Read(ref _stopping)) return false;
            Thread.SpinWait(10);
        }

        lock (_gate)
        {
            // A sleeper is counted before it looks at the round, and Publish counts the round before it looks for
            // sleepers: one of the two always sees the other.
            Interlocked.Increment(ref _sleepers);
            while (Volatile.Read(ref _round) == seen && !_stopping) Monitor.Wait(_gate);
            Interlocked.Decrement(ref _sleepers);
        }

        return Volatile.Read(ref _round) != seen;
    }
}
