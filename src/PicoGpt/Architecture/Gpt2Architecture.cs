namespace PicoGpt.Architecture;

/// <summary>What tensors a GPT-2 of given hyperparameters consists of.</summary>
internal static class Gpt2Architecture
{
    /// <summary>The names without their scope and the squeezed shapes of all tensors, in the order of the model.</summary>
    public static IEnumerable<(string Name, int[] Shape)> Tensors(Gpt2HyperParameters h)
    {
        int n = h.NEmbd;
        yield return ("wte", [h.NVocab, n]);
        yield return ("wpe", [h.NCtx, n]);
        for (int i = 0; i < h.NLayer; i++)
        {
            yield return ($"h{i}/ln_1/g", [n]);
            yield return ($"h{i}/ln_1/b", [n]);
            yield return ($"h{i}/attn/c_attn/w", [n, 3 * n]);
            yield return ($"h{i}/attn/c_attn/b", [3 * n]);
            yield return ($"h{i}/attn/c_proj/w", [n, n]);
            yield return ($"h{i}/attn/c_proj/b", [n]);
            yield return ($"h{i}/ln_2/g", [n]);
            yield return ($"h{i}/ln_2/b", [n]);
            yield return ($"h{i}/mlp/c_fc/w", [n, 4 * n]);
            yield return ($"h{i}/mlp/c_fc/b", [4 * n]);
            yield return ($"h{i}/mlp/c_proj/w", [4 * n, n]);
            yield return ($"h{i}/mlp/c_proj/b", [n]);
        }

        yield return ("ln_f/g", [n]);
        yield return ("ln_f/b", [n]);
    }
}
