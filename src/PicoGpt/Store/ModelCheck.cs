namespace PicoGpt.Store;

/// <summary>The result of checking a file of a model, or a group of tensors in it.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="File">The file's name.</param>
/// <param name="Tensors">The group of tensors (<c>wte</c>, <c>h0</c>, …), or <see langword="null"/> for the file itself.</param>
/// <param name="Problem">What is wrong, in a sentence, or <see langword="null"/>.</param>
public sealed record ModelCheck(string Model, string File, string? Tensors, string? Problem)
{
    /// <summary>What is suspicious, in a sentence, though the model may have been made so; or <see langword="null"/>.</summary>
    public string? Doubt { get; init; }

    /// <summary>Whether nothing is wrong, as far as can be known.</summary>
    public bool IsValid => Problem is null;
}
