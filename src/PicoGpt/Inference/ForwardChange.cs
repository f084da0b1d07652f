namespace PicoGpt.Inference;

/// <summary>Something that is done to what passes through a model; see <c>Gpt2Intervention</c>.</summary>
public abstract class ForwardChange
{
    private protected ForwardChange()
    {
    }

    /// <summary>What does it in the passes of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="positions">How many positions the texts have or may have.</param>
    /// <exception cref="Gpt2Exception">It cannot be done in that model, or at these positions.</exception>
    internal abstract IForwardHook HookFor(Gpt2Model model, int positions);

    /// <summary>Makes sure that a text comes to every position that is to be changed.</summary>
    /// <param name="positions">How many positions the text has or may have.</param>
    /// <exception cref="Gpt2Exception">It does not.</exception>
    internal abstract void CheckReach(int positions);
}
