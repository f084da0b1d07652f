using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Refuses a script in place of a path, whose text PowerShell would take for the name of a file.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PlainPathAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        ObjectReader.Unwrap(inputData) is ScriptBlock script
            ? throw new ArgumentTransformationMetadataException(
                $"{{{Format.Visible($"{script}")}}} is a script, which this parameter does not run; give a path, and to make one of each object call the command in ForEach-Object.")
            : inputData;
}
