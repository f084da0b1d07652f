namespace PicoGpt.PowerShell;

/// <summary>
/// What a <c>-Model</c> parameter was given: an open model, or the name or path of one. The command opens it when it
/// runs, so that fetching can show its progress and faults come as the command's own errors.
/// </summary>
public sealed class Gpt2ModelReference
{
    /// <summary>Refers to an open model.</summary>
    /// <param name="model">The model.</param>
    internal Gpt2ModelReference(Gpt2Model model) => Model = model;

    /// <summary>Refers to a model by name or path.</summary>
    /// <param name="nameOrPath">A name of the catalog, or a path relative to the session's location.</param>
    /// <param name="carried">How it was open in the session that it came from.</param>
    internal Gpt2ModelReference(string nameOrPath, CarriedModel? carried = null) => (NameOrPath, Carried) = (nameOrPath, carried);

    /// <summary>The open model, or <see langword="null"/>.</summary>
    public Gpt2Model? Model { get; }

    /// <summary>The name or path, or <see langword="null"/>.</summary>
    public string? NameOrPath { get; }

    /// <summary>How a model was open in the session that it came from; <see langword="null"/> of any other.</summary>
    internal CarriedModel? Carried { get; }

    /// <inheritdoc/>
    public override string ToString() => Model?.Name ?? NameOrPath!;
}
