using System.Collections;
using System.Management.Automation;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>
/// Refuses, with a sentence, what is not an object of a type of this session: a name in its place, and what came from a job, another computer or a
/// file, which lacks what is needed of it.
/// </summary>
/// <param name="type">The type.</param>
/// <param name="noun">What people call it.</param>
/// <param name="advice">What to do instead.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ObjectOfAttribute(Type type, string noun, string advice) : ArgumentTransformationAttribute
{
    /// <summary>The type.</summary>
    public Type Type => type;

    /// <summary>What people call it.</summary>
    public string Noun => noun;

    /// <summary>What to do instead.</summary>
    public string Advice => advice;

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        foreach (object? item in Unwrap(inputData) is IList list ? list : new[] { inputData })
        {
            if (TypeElsewhere(item) is { } elsewhere) throw Lacking(elsewhere, advice);
            if (Unwrap(item) is { } other && !type.IsInstanceOfType(other))
                throw new ArgumentTransformationMetadataException($"'{Format.Visible($"{item}")}' ({other.GetType().Name}) is not {noun}; {advice}.");
        }

        return inputData;
    }

    /// <summary>The fault of an object of ours that came without what is needed of it.</summary>
    /// <param name="type">Its type, where it is from.</param>
    /// <param name="advice">What to do instead.</param>
    internal static ArgumentTransformationMetadataException Lacking(string type, string advice) =>
        new($"A {type[(type.LastIndexOf('.') + 1)..]} from another session, or from a file of one, is a description without its values; {advice}.");
}
