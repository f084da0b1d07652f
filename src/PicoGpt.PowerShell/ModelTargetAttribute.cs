using System.Collections;
using System.Management.Automation;
using PicoGpt.Store;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>Lets a parameter take what means a model and its place; texts are left to <c>-Name</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ModelTargetAttribute : ArgumentTransformationAttribute
{
    private const string Wanted =
        "give a model from Get-Gpt2Model, a file or folder, an object with a property Name or Path, or a name such as 124M.";

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? given = Unwrap(inputData) is IList { Count: 1 } list ? list[0] : inputData;
        return Unwrap(given) switch
        {
            ModelTarget target => target,
            Gpt2Model model => new ModelTarget(model),
            ModelInfo info => new ModelTarget(info.Name, info.Path),
            FileSystemInfo entry => new ModelTarget(null, entry.FullName),
            string => throw LeftToName(),
            PSCustomObject when Row((PSObject)given!) is { } row => row,
            null => throw new ArgumentTransformationMetadataException($"No model was given; {Wanted}"),
            IList several => throw new ArgumentTransformationMetadataException($"{several.Count} things were given for one model; {Wanted}"),
            object other => throw new ArgumentTransformationMetadataException($"'{other}' ({other.GetType().Name}) is not a model; {Wanted}"),
        };
    }

    // A row of a table, or what came from another session. PSPath and FullName are those of files.
    private static ModelTarget? Row(PSObject row)
    {
        string? path = ModelTransformationAttribute.PlaceOf(row) ?? Text(row, "PSPath") ?? Text(row, "FullName") ?? Text(row, "Path");
        string? name = Text(row, "Name");
        return path is null && name is null ? null : new ModelTarget(name, path) { Carried = ModelTransformationAttribute.CarriedBy(row) };
    }

    private static string? Text(PSObject row, string property) =>
        (row.Properties[property]?.Value is { } value ? Unwrap(value) : null) is string { Length: > 0 } text ? text : null;

    // PowerShell tries the next parameter only where it is told of a failed conversion.
    private static ArgumentTransformationMetadataException LeftToName() =>
        new($"A name is for -Name; {Wanted}", new PSInvalidCastException(Wanted));
}
