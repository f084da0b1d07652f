using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace PicoGpt.HelpBuilder;

/// <summary>
/// Reads the commands of an assembly. Attributes are read as data and not made: the build has only PowerShell's reference assembly,
/// whose code does nothing.
/// </summary>
internal static class CommandReader
{
    private static readonly ParameterUse Anywhere = new(ParameterUse.AllSets, IsMandatory: false, Position: null, TakesValue: false, TakesProperty: false);

    private static readonly Dictionary<Type, string> Words = new()
    {
        [typeof(string)] = "string",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(bool)] = "bool",
        [typeof(SwitchParameter)] = "switch",
    };

    /// <summary>The commands of an assembly, by name.</summary>
    /// <param name="path">The assembly; its dependencies are beside it or in the folder <c>lib</c>.</param>
    public static IReadOnlyDictionary<string, CommandShape> Read(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            File.Exists($"{folder}/lib/{name.Name}.dll") ? context.LoadFromAssemblyPath($"{folder}/lib/{name.Name}.dll") : null;
        return AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.GetFullPath(path)).ExportedTypes
            .Select(type => (type, Command: Find(type, nameof(CmdletAttribute))))
            .Where(found => found.Command is not null)
            .Select(found => Command(found.type, found.Command!))
            .ToDictionary(command => command.Name);
    }

    private static CommandShape Command(Type type, CustomAttributeData command)
    {
        IEnumerable<ParameterShape> declared = type.GetProperties().Where(p => Find(p, nameof(ParameterAttribute)) is not null).Select(Parameter);
        ParameterShape[] common = Named(command, nameof(CmdletAttribute.SupportsShouldProcess)) is true
            ? [new("WhatIf", "switch", [], ["wi"], TakesWildcards: false, [Anywhere]), new("Confirm", "switch", [], ["cf"], TakesWildcards: false, [Anywhere])]
            : [];
        return new CommandShape((string)command.ConstructorArguments[0].Value!, (string)command.ConstructorArguments[1].Value!, [.. declared, .. common]);
    }

    private static ParameterShape Parameter(PropertyInfo property)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return new ParameterShape(
            property.Name,
            Word(type),
            type.IsEnum ? Enum.GetNames(type) : [],
            Find(property, nameof(AliasAttribute)) is { } alias ? Strings(alias.ConstructorArguments[0]) : [],
            Find(property, nameof(SupportsWildcardsAttribute)) is not null,
            [.. property.CustomAttributes.Where(a => a.AttributeType.Name == nameof(ParameterAttribute)).Select(Use)]);
    }

    private static ParameterUse Use(CustomAttributeData parameter) => new(
        Named(parameter, nameof(ParameterAttribute.ParameterSetName)) as string ?? ParameterUse.AllSets,
        Named(parameter, nameof(ParameterAttribute.Mandatory)) is true,
        Named(parameter, nameof(ParameterAttribute.Position)) as int?,
        Named(parameter, nameof(ParameterAttribute.ValueFromPipeline)) is true,
        Named(parameter, nameof(ParameterAttribute.ValueFromPipelineByPropertyName)) is true);

    private static string Word(Type type) =>
        type.IsArray ? Word(type.GetElementType()!) + $"[{new string(',', type.GetArrayRank() - 1)}]" : Words.GetValueOrDefault(type, type.Name);

    private static CustomAttributeData? Find(MemberInfo member, string attribute) =>
        member.CustomAttributes.FirstOrDefault(a => a.AttributeType.Name == attribute);

    private static object? Named(CustomAttributeData attribute, string argument) =>
        attribute.NamedArguments.FirstOrDefault(a => a.MemberName == argument).TypedValue.Value;

    private static string[] Strings(CustomAttributeTypedArgument argument) =>
        [.. ((ReadOnlyCollection<CustomAttributeTypedArgument>)argument.Value!).Select(a => (string)a.Value!)];
}
