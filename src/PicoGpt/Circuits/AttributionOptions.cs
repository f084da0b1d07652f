namespace PicoGpt.Circuits;

/// <summary>What is to be attributed.</summary>
public abstract record AttributionOptions
{
    private protected AttributionOptions()
    {
    }

    /// <summary>The token after the text that is asked about; the likeliest one where it is <see langword="null"/>.</summary>
    public string? Answer { get; init; }

    /// <summary>The token whose logit is subtracted, if any.</summary>
    public string? Against { get; init; }

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the text for the special token.</summary>
    public bool AllowSpecial { get; init; }

    /// <summary>Threads to compute with; 0 for one per physical core. The result does not depend on it.</summary>
    public int Threads { get; init; }
}
