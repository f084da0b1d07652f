using PicoGpt.Numerics;

namespace PicoGpt.Inference;

/// <summary>One of the likeliest tokens at a place of a text.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text by itself; a part of a character is U+FFFD.</param>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
public sealed record TokenAlternative(int Id, string Text, double LogProbability)
{
    /// <summary>Its probability, from 0 to 1.</summary>
    public double Probability => PortableMath.Exp(LogProbability);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
