using PicoGpt.Tokens;

namespace PicoGpt.Circuits;

/// <summary>A text as a model reads it.</summary>
internal sealed class ReadText
{
    /// <exception cref="Gpt2Exception">It is empty or does not fit into the context.</exception>
    public ReadText(Gpt2Model model, string text, bool allowSpecial)
    {
        Tokens = model.Encoder.Tokenize(text, allowSpecial);
        Ids = [.. Tokens.Select(token => token.Id)];
        Labels = [.. Tokens.Select(token => VisibleText.Of(token.Bytes.ToArray()))];
        if (Ids.Length == 0) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "The text is empty; give one token at least.");
        int most = model.HyperParameters.NCtx;
        if (Ids.Length > most)
        {
            throw new Gpt2Exception(
                Gpt2Error.ContextExceeded, $"The text has {Ids.Length} tokens, but the context of {model.Name} has {most} positions; give a part of it.");
        }
    }

    /// <summary>The tokens.</summary>
    public IReadOnlyList<Gpt2Token> Tokens { get; }

    /// <summary>Their ids.</summary>
    public int[] Ids { get; }

    /// <summary>How they are shown.</summary>
    public string[] Labels { get; }
}
