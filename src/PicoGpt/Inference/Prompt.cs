namespace PicoGpt.Inference;

/// <summary>What a text is to continue from: the text and its ids, of which there is one at least and a context's at most.</summary>
internal sealed record Prompt(string Text, int[] Ids)
{
    /// <summary>A text; an empty one is what the model's texts begin with: <c>&lt;|endoftext|&gt;</c>, unless its files name another token.</summary>
    /// <exception cref="Gpt2Exception">It has more tokens than the context.</exception>
    public static Prompt Of(Gpt2Model model, string text, bool allowSpecial = false) =>
        new(text, Checked(model, text.Length == 0 ? [model.BeginningOfText] : model.Encoder.Encode(text, allowSpecial)));

    /// <summary>Ids; none are what the model's texts begin with.</summary>
    /// <exception cref="Gpt2Exception">They are more than the context has, or one is outside the vocabulary.</exception>
    public static Prompt Of(Gpt2Model model, IReadOnlyList<int> ids)
    {
        if (ids.Count == 0) return Of(model, "");
        int n_vocab = model.HyperParameters.NVocab;
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)n_vocab) throw Gpt2Forward.OutsideVocabulary(id, model);
        }

        var text = new TextCollector(model.Encoder, stop: [], keepSpecial: true);
        foreach (int id in ids) text.Append(id);
        text.Finish();
        return new Prompt(text.Text, Checked(model, [.. ids]));
    }

    private static int[] Checked(Gpt2Model model, int[] ids)
    {
        int capacity = model.HyperParameters.NCtx;
        if (ids.Length <= capacity) return ids;
        throw new Gpt2Exception(
            Gpt2Error.ContextExceeded,
            $"The prompt has {ids.Length} tokens, but the context of {model.Name} has {capacity}; "
                + $"shorten the prompt by {ids.Length - capacity} tokens or more.");
    }
}
