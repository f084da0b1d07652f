namespace PicoGpt.PowerShell;

/// <summary>What one thread reports last and another shows.</summary>
/// <typeparam name="T">A number that is written at once.</typeparam>
internal sealed class LatestValue<T> : IProgress<T>
    where T : struct
{
    private object _value = default(T);

    /// <summary>The last value reported; the default before.</summary>
    public T Value => (T)Volatile.Read(ref _value);

    /// <inheritdoc/>
    public void Report(T value) => Volatile.Write(ref _value, value);
}
