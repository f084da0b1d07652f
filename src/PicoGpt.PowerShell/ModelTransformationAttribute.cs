using System.Management.Automation;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>Lets a <c>-Model</c> parameter take a model object, a name or a path.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ModelTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
        {
            Gpt2ModelReference reference => reference,
            Gpt2Model model => new Gpt2ModelReference(model),
            ModelInfo info => new Gpt2ModelReference(info.Name),
            string { Length: > 0 } nameOrPath => new Gpt2ModelReference(nameOrPath),
            FileSystemInfo file => new Gpt2ModelReference(file.FullName),
            null => throw new ArgumentTransformationMetadataException("No model was given; give a model object, a name such as 124M, or a path."),
            object other => throw new ArgumentTransformationMetadataException(
                $"A {other.GetType().Name} is no model; give a model object from Get-Gpt2Model, a name such as 124M, or a path."),
        };
}
