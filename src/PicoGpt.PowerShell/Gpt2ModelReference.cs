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
    /// <param name="precision">How its matrices are to be held where the command does not say it.</param>
    internal Gpt2ModelReference(string nameOrPath, string? precision = null) => (NameOrPath, Precision) = (nameOrPath, precision);

    /// <summary>The open model, or <see langword="null"/>.</summary>
    public Gpt2Model? Model { get; }

    /// <summary>The name or path, or <see langword="null"/>.</summary>
    public string? NameOrPath { get; }

    /// <summary>The precision that a model had in the session that it came from; <see langword="null"/> of any other.</summary>
    internal string? Precision { get; } // a name: a value of the engine's type would load the engine before it can be found

    /// <inheritdoc/>
    public override string ToString() => Model?.Name ?? NameOrPath!;
}
