using System.Diagnostics.CodeAnalysis;

namespace PicoGpt.Intervening;

/// <summary>What was kept of a pass over a text, and can stand in another pass: a trace.</summary>
[SuppressMessage("Performance", "CA1814", Justification = "An activation is a matrix; scripts index it as one.")]
public interface IRecordedPass
{
    /// <summary>The text.</summary>
    string Text { get; }

    /// <summary>The activations by name, <c>[n_seq, width]</c> each.</summary>
    IReadOnlyDictionary<string, float[,]> Activations { get; }

    /// <summary>The attention patterns by layer and head, <c>[n_seq, n_seq]</c>; <see langword="null"/> for those that were not kept.</summary>
    IReadOnlyList<IReadOnlyList<float[,]?>?>? Attention { get; }
}
