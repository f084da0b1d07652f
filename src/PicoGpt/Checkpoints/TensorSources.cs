namespace PicoGpt.Checkpoints;

/// <summary>What is asked of tensors of any format.</summary>
internal static class TensorSources
{
    /// <summary>The fault of a name that no tensor has, with the nearest ones.</summary>
    public static Gpt2Exception NotFound(ITensorSource source, string name)
    {
        IReadOnlyList<string> nearest = NearestNames.Find(name, source.Tensors.Select(tensor => tensor.Name), count: 3);
        string hint = nearest.Count == 0 ? "" : $"; the nearest names are {string.Join(", ", nearest.Select(n => $"'{n}'"))}";
        return new Gpt2Exception(Gpt2Error.TensorNotFound, $"The checkpoint '{source.Location}' has no tensor '{name}'{hint}.", source.Location);
    }
}
