namespace PicoGpt.Architecture;

/// <summary>The names of a checkpoint of PyTorch's kind, below the names of whatever the model was wrapped in.</summary>
/// <param name="names">The names.</param>
/// <param name="wrapper">What stands before all of them: <c>module.</c>, <c>_orig_mod.</c>, <c>base_model.model.</c>, <c>pretrained_model.</c>, or nothing.</param>
/// <param name="body">What stands between that and all but the output projection.</param>
/// <param name="isTransposed">Whether the matrices of linear layers are <c>[out, in]</c>.</param>
/// <param name="output">The output projection, where it is not called as usual.</param>
internal sealed class LayerNaming(LayerNames names, string wrapper, string body, bool isTransposed, string? output = null) : WeightNaming
{
    // Of pytorch-pretrained-bert.
    private const string OldOutput = "lm_head.decoder.weight";

    // What models that were trained for something else, or with a value function, have beside a GPT-2.
    private static readonly string[] Heads = ["score.", "v_head.", "multiple_choice_head.", "classifier.", "qa_outputs."];

    // What TRL and trlX call the model beside which their value function stands.
    private static readonly string[] BesideHeads = ["pretrained_model.", "base_model."];

    private readonly string _prefix = wrapper + body;

    // Where heads stand: with the output projection, or beside the whole model.
    private readonly string[] _scopes =
        [wrapper, .. BesideHeads.Where(inner => wrapper.EndsWith(inner, StringComparison.Ordinal)).Select(inner => wrapper[..^inner.Length])];

    public override Gpt2Activation Activation => names.Activation;

    /// <summary>The naming that the names of tensors follow, if it is one of this kind.</summary>
    /// <param name="shapes">The tensors' dimensions by name.</param>
    public static LayerNaming? Find(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes) => LayerNames.All
        .SelectMany(names => FindAll(names, shapes)).OrderBy(naming => naming.CountMissing(shapes)).ThenBy(naming => naming._prefix.Length).FirstOrDefault();

    public override IReadOnlyList<string> PartsOf(string weight) =>
        weight == "lm_head" ? [wrapper + (output ?? names.Output)] : [.. names.Of(weight).Select(part => _prefix + part)];

    public override bool IsTransposed(string weight) => isTransposed && weight.EndsWith("/w", StringComparison.Ordinal);

    public override bool MayLack(string weight) => names.MayLackQueryBias && weight.EndsWith("/attn/c_attn/b", StringComparison.Ordinal);

    public override bool MayLieBeside(string name, IReadOnlySet<string> weights) =>
        IsMask(name) || _scopes.Any(scope => Heads.Any(head => name.StartsWith(scope + head, StringComparison.Ordinal)));

    public override bool IsMask(string name) => name.StartsWith(_prefix, StringComparison.Ordinal) && names.IsMask(name.AsSpan(_prefix.Length));

    private int CountMissing(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes) =>
        ((string[])["wte", "wpe", "h0/ln_1/g"]).Count(weight => !shapes.ContainsKey(Of(weight)));

    // One of the two embeddings is enough: the other is missing then, and is reported by name.
    private static IEnumerable<LayerNaming> FindAll(LayerNames names, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        foreach (string ending in (string[])[names.Wte, names.Wpe])
        {
            foreach (string name in shapes.Keys.Where(name => name.EndsWith(ending, StringComparison.Ordinal)))
            {
                string prefix = name[..^ending.Length];
                if (prefix.Length > 0 && prefix[^1] != '.') continue;
                string body = prefix.EndsWith(names.Body, StringComparison.Ordinal) ? names.Body : "", wrapper = prefix[..^body.Length];
                string? output = !shapes.ContainsKey(wrapper + names.Output) && shapes.ContainsKey(wrapper + OldOutput) ? OldOutput : null;
                yield return new LayerNaming(names, wrapper, body, names.IsTransposed ?? HasTransposedMatrices(prefix), output);
            }
        }

        // [3 n_embd, n_embd] in place of [n_embd, 3 n_embd], unless the next matrix contradicts it
        bool HasTransposedMatrices(string prefix) => RowsOverColumns(prefix, "h0/attn/c_attn/w") > 0 && RowsOverColumns(prefix, "h0/mlp/c_fc/w") >= 0;

        long RowsOverColumns(string prefix, string weight) =>
            shapes.TryGetValue(prefix + names.Of(weight).First(), out IReadOnlyList<long>? shape) && shape is [var rows, var columns] ? rows - columns : 0;
    }
}
