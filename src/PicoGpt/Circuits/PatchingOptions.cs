namespace PicoGpt.Circuits;

/// <summary>How to sweep.</summary>
public sealed record PatchingOptions
{
    /// <summary>The token whose logit or log-probability after the texts is compared.</summary>
    public required string Answer { get; init; }

    /// <summary>The token whose logit is subtracted; without it the answer's log-probability is compared.</summary>
    public string? Against { get; init; }

    /// <summary>What is patched in turn.</summary>
    public PatchingKind Kind { get; init; }

    /// <summary>What is patched by <see cref="PatchingKind.Position"/>: <c>resid_pre</c>, <c>attn</c> or <c>mlp</c>.</summary>
    public string Site { get; init; } = "resid_pre";

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the texts for the special token.</summary>
    public bool AllowSpecial { get; init; }

    /// <summary>Threads to compute with; 0 for one per physical core. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Called with the share that is done, from 0 to 1, on the thread that sweeps.</summary>
    public Action<double>? Progress { get; init; }
}
