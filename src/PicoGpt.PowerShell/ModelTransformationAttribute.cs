using System.Collections;
using System.Management.Automation;
using PicoGpt.Store;
using static PicoGpt.PowerShell.ObjectReader;

namespace PicoGpt.PowerShell;

/// <summary>Lets a <c>-Model</c> parameter take a model object, a name or a path.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ModelTransformationAttribute : ArgumentTransformationAttribute
{
    private const string Wanted = "give a model object from Get-Gpt2Model, a name such as 124M, or a path.";

    private static readonly string DeserializedModel = "Deserialized." + typeof(Gpt2Model).FullName;

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        ArgumentNullException.ThrowIfNull(engineIntrinsics);
        return ReferenceTo(inputData, engineIntrinsics.SessionState);
    }

    /// <summary>The model that a value means.</summary>
    /// <exception cref="ArgumentTransformationMetadataException">It means none.</exception>
    internal static Gpt2ModelReference ReferenceTo(object? inputData, SessionState session)
    {
        object? given = Unwrap(inputData) is IList { Count: 1 } list ? list[0] : inputData;
        return Unwrap(given) switch
        {
            Gpt2ModelReference reference => reference,
            Gpt2Model model => new Gpt2ModelReference(model),
            ModelInfo info => new Gpt2ModelReference(ModelStore.Default.ModelAt(info.Path)?.Name ?? info.Path), // of another cache it lies there
            string { Length: > 0 } nameOrPath => new Gpt2ModelReference(SessionPath.NameOrPath(session, nameOrPath)),
            FileSystemInfo file => new Gpt2ModelReference(file.FullName),
            PSCustomObject when FromOtherSession((PSObject)given!) is { } reference => reference,
            null or "" => throw new ArgumentTransformationMetadataException($"No model was given; {Wanted}"),
            IList several => throw new ArgumentTransformationMetadataException($"{several.Count} things were given for one model; {Wanted}"),
            object other => throw new ArgumentTransformationMetadataException($"'{other}' ({other.GetType().Name}) is not a model; {Wanted}"),
        };
    }

    // What came from a job or another computer: a model's files in the precision that it had, where they are here too, or else its name.
    private static Gpt2ModelReference? FromOtherSession(PSObject given)
    {
        string? name = given.Properties["Name"]?.Value as string;
        if (given.TypeNames.Contains("Deserialized." + typeof(ModelInfo).FullName)) return name is null ? null : new Gpt2ModelReference(name);
        if (!given.TypeNames.Contains(DeserializedModel)) return null;
        if (given.Properties["Path"]?.Value is "")
            throw new ArgumentTransformationMetadataException($"{name} is a copy in the memory of another session; Export-Gpt2Model writes it there to files, which every session can open.");
        return (PlaceOf(given) ?? name) is { } place ? new Gpt2ModelReference(place, CarriedBy(given)) : null;
    }

    /// <summary>The files of a model that came from another session: that of its weights, of which its folder may have several, or its folder.</summary>
    internal static string? PlaceOf(PSObject given)
    {
        if (!given.TypeNames.Contains(DeserializedModel) || given.Properties["Path"]?.Value is not string folder) return null;
        string? prefix = given.Properties[IsAdapted(given) ? "AdapterOf" : "Prefix"]?.Value as string;
        if (IsAdapted(given)) folder = Path.GetDirectoryName(prefix)!;
        if (ModelStore.Default.ModelAt(folder) is null && File.Exists(prefix)) return prefix;
        return Directory.Exists(folder) ? folder : null;
    }

    /// <summary>How a model was open that came from another session; <see langword="null"/> of anything else.</summary>
    internal static CarriedModel? CarriedBy(PSObject given)
    {
        if (!given.TypeNames.Contains(DeserializedModel)) return null;
        bool isAssumed = given.Properties["Assumption"]?.Value is string { Length: > 0 }; // to be told anew
        return new CarriedModel(
            $"{given.Properties["Precision"]?.Value}" is var name && Enum.IsDefined(typeof(Gpt2Precision), name) ? name : null,
            !isAssumed && given.Properties["HyperParameters"]?.Value is PSObject shape && shape.Properties["NHead"]?.Value is int heads ? heads : null,
            IsAdapted(given) ? given.Properties["Path"]?.Value as string : null);
    }

    private static bool IsAdapted(PSObject given) => given.Properties["AdapterOf"]?.Value is string { Length: > 0 };
}
