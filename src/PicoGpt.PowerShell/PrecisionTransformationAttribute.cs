using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Lets a <c>-Precision</c> parameter take a <see cref="Gpt2Precision"/> or its name in any case, and gives it the name.</summary>
/// <remarks>The parameter holds the name: a parameter of an enumeration is completed by PowerShell itself, which has no tooltips.</remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PrecisionTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        string[] names = Enum.GetNames<Gpt2Precision>();
        return Array.Find(names, name => name.Equals(inputData?.ToString(), StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentTransformationMetadataException(
                $"There is no precision '{inputData}'; take {string.Join(", ", names[..^1])} or {names[^1]}.");
    }
}
