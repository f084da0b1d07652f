namespace PicoGpt.Tests.Store;

/// <summary>Waits for what must happen sooner or later.</summary>
internal static class Eventually
{
    public static async Task Is(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!condition()) await Task.Delay(5, limit.Token);
    }
}
