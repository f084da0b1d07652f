using System.Collections;
using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>Lets a <c>-Model</c> parameter take a model object, a name or a path.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ModelTransformationAttribute : ArgumentTransformationAttribute
{
    private const string Wanted = "give a model object from Get-Gpt2Model, a name such as 124M, or a path.";

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? given = Unwrap(inputData) is IList { Count: 1 } list ? list[0] : inputData;
        return Unwrap(given) switch
        {
            Gpt2ModelReference reference => reference,
            Gpt2Model model => new Gpt2ModelReference(model),
            ModelInfo info => new Gpt2ModelReference(ModelStore.Default.ModelAt(info.Path)?.Name ?? info.Path), // of another cache it lies there
            string { Length: > 0 } nameOrPath => new Gpt2ModelReference(nameOrPath),
            FileSystemInfo file => new Gpt2ModelReference(file.FullName),
            PSCustomObject when FromOtherSession((PSObject)given!) is { } nameOrPath => new Gpt2ModelReference(nameOrPath),
            null or "" => throw new ArgumentTransformationMetadataException($"No model was given; {Wanted}"),
            IList several => throw new ArgumentTransformationMetadataException($"{several.Count} things were given for one model; {Wanted}"),
            object other => throw new ArgumentTransformationMetadataException($"'{other}' ({other.GetType().Name}) is not a model; {Wanted}"),
        };
    }

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

    // What came from a job or another computer: a model's folder, where that is here too, or else its name.
    private static string? FromOtherSession(PSObject given)
    {
        bool isModel = given.TypeNames.Contains("Deserialized." + typeof(Gpt2Model).FullName);
        if (isModel && given.Properties["Path"]?.Value is string path && Directory.Exists(path)) return path;
        bool isInfo = given.TypeNames.Contains("Deserialized." + typeof(ModelInfo).FullName);
        return isModel || isInfo ? given.Properties["Name"]?.Value as string : null;
    }
}
