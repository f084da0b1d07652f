using System.Collections;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Refuses, with a sentence, what came from a job, another computer or a file where only an object of this session has what is needed.</summary>
/// <param name="advice">What to do instead.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FromHereAttribute(string advice) : ArgumentTransformationAttribute
{
    /// <summary>What to do instead.</summary>
    public string Advice => advice;

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        IEnumerable given = inputData is PSObject { BaseObject: IList inner } ? inner : inputData as IList ?? new[] { inputData };
        foreach (object? item in given)
        {
            if (ObjectReader.TypeElsewhere(item) is { } type) throw Refused(type, advice);
        }

        return inputData;
    }

    /// <summary>The fault of an object without what is needed of it.</summary>
    /// <param name="type">Its type, where it is from.</param>
    /// <param name="advice">What to do instead.</param>
    internal static ArgumentTransformationMetadataException Refused(string type, string advice) =>
        new($"A {type[(type.LastIndexOf('.') + 1)..]} from another session, or from a file of one, is a description without its values; {advice}.");
}
