using System.Management.Automation;
using PicoGpt.Exporting;

namespace PicoGpt.PowerShell;

/// <summary>Lets a <c>-Format</c> parameter take the name of a format that is written, in any case.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ModelFormatTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        IReadOnlyList<string> names = ModelExport.Formats;
        return names.FirstOrDefault(name => name.Equals(inputData?.ToString(), StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentTransformationMetadataException(
                $"There is no format '{inputData}' to write; take {string.Join(", ", names.SkipLast(1))} or {names[^1]}.");
    }
}
