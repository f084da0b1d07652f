namespace PicoGpt.Foundation;

/// <summary>What is asked of arguments and options.</summary>
internal static class Argument
{
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.InvalidArgument"/>: it does not hold.</exception>
    public static void Require(bool holds, FormattableString message)
    {
        if (!holds) throw new Gpt2Exception(Gpt2Error.InvalidArgument, FormattableString.Invariant(message));
    }
}
