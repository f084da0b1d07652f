namespace PicoGpt.PowerShell;

/// <summary>
/// Looks for Esc and Ctrl+C while a model writes, so that they stop it and not the command. Where the console is not one that is typed
/// at, nothing is looked for, and Ctrl+C does what it always does.
/// </summary>
internal sealed class StopKeys : IDisposable
{
    private readonly bool _looks;
    private readonly bool _before;

    /// <param name="isWanted">Whether to look at all.</param>
    public StopKeys(bool isWanted)
    {
        if (!isWanted || Console.IsInputRedirected) return;
        try
        {
            _before = Console.TreatControlCAsInput;
            Console.TreatControlCAsInput = true;
            _looks = true;
        }
        catch (IOException)
        {
            // not a console after all
        }
    }

    /// <summary>Whether one of them was pressed; other keys are passed over.</summary>
    public bool WerePressed
    {
        get
        {
            while (_looks && Console.KeyAvailable)
            {
                ConsoleKeyInfo key = Console.ReadKey(intercept: true);
                if (key.Key == ConsoleKey.Escape || (key.Key == ConsoleKey.C && key.Modifiers == ConsoleModifiers.Control)) return true;
            }

            return false;
        }
    }

    public void Dispose()
    {
        if (_looks) Console.TreatControlCAsInput = _before;
    }
}
