using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace PicoGpt.Tests.House;

/// <summary>
/// Which types of an assembly name which others of it: in bases, interfaces, signatures, constraints, attributes and bodies. What the
/// compiler makes for a type (lambdas, iterators) is that type's own, and constants leave no trace.
/// </summary>
internal sealed class CompiledArrows : ISignatureTypeProvider<ImmutableArray<TypeDefinitionHandle>, object?>
{
    private readonly PEReader _file;
    private readonly MetadataReader _metadata;

    private CompiledArrows(PEReader file)
    {
        _file = file;
        _metadata = file.GetMetadataReader();
    }

    /// <summary>The arrows between types of different namespaces.</summary>
    public static IReadOnlySet<TypeArrow> Of(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        return new CompiledArrows(file).Draw();
    }

    private HashSet<TypeArrow> Draw()
    {
        HashSet<TypeArrow> arrows = [];
        foreach (TypeDefinitionHandle handle in _metadata.TypeDefinitions)
        {
            (string room, string from) = Outermost(handle);
            foreach (TypeDefinitionHandle named in NamedBy(_metadata.GetTypeDefinition(handle)))
            {
                (string otherRoom, string to) = Outermost(named);
                bool isOurs = Belongs(room) && Belongs(otherRoom); // not the compiler's helpers
                if (isOurs && room != otherRoom) arrows.Add(new TypeArrow(room, from, otherRoom, to));
            }
        }

        return arrows;
    }

    private static bool Belongs(string room) => room.StartsWith(nameof(PicoGpt), StringComparison.Ordinal);

    private (string Room, string Name) Outermost(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil) type = _metadata.GetTypeDefinition(type.GetDeclaringType());
        return (_metadata.GetString(type.Namespace), _metadata.GetString(type.Name));
    }

    private IEnumerable<TypeDefinitionHandle> NamedBy(TypeDefinition type) =>
    [
        .. NamesOf(type.BaseType),
        .. type.GetInterfaceImplementations().SelectMany(i => NamesOf(_metadata.GetInterfaceImplementation(i).Interface)),
        .. type.GetCustomAttributes().SelectMany(NamesOf),
        .. type.GetGenericParameters().SelectMany(NamesOf),
        .. type.GetFields().SelectMany(NamesOf),
        .. type.GetMethods().SelectMany(NamesOf),
    ];

    private IEnumerable<TypeDefinitionHandle> NamesOf(FieldDefinitionHandle handle)
    {
        FieldDefinition field = _metadata.GetFieldDefinition(handle);
        return [.. field.DecodeSignature(this, null), .. field.GetCustomAttributes().SelectMany(NamesOf)];
    }

    private IEnumerable<TypeDefinitionHandle> NamesOf(MethodDefinitionHandle handle)
    {
        MethodDefinition method = _metadata.GetMethodDefinition(handle);
        return
        [
            .. Names(method.DecodeSignature(this, null)),
            .. method.GetCustomAttributes().SelectMany(NamesOf),
            .. method.GetGenericParameters().SelectMany(NamesOf),
            .. method.GetParameters().SelectMany(p => _metadata.GetParameter(p).GetCustomAttributes()).SelectMany(NamesOf),
            .. method.RelativeVirtualAddress == 0 ? [] : NamesOf(_file.GetMethodBody(method.RelativeVirtualAddress)),
        ];
    }

    private IEnumerable<TypeDefinitionHandle> NamesOf(GenericParameterHandle handle) =>
        _metadata.GetGenericParameter(handle).GetConstraints().SelectMany(c => NamesOf(_metadata.GetGenericParameterConstraint(c).Type));

    private IEnumerable<TypeDefinitionHandle> NamesOf(CustomAttributeHandle handle) => NamesOf(_metadata.GetCustomAttribute(handle).Constructor);

    private List<TypeDefinitionHandle> NamesOf(MethodBodyBlock body)
    {
        List<TypeDefinitionHandle> names = [];
        if (!body.LocalSignature.IsNil)
            names.AddRange(_metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null).SelectMany(local => local));
        foreach (ExceptionRegion region in body.ExceptionRegions) names.AddRange(NamesOf(region.CatchType));
        names.AddRange(CompiledBody.NamesOf(body).Where(name => name.Kind != HandleKind.UserString).SelectMany(name => NamesOf((EntityHandle)name)));
        return names;
    }

    private IEnumerable<TypeDefinitionHandle> NamesOf(EntityHandle handle) => handle.IsNil ? [] : handle.Kind switch
    {
        HandleKind.TypeDefinition => [(TypeDefinitionHandle)handle],
        HandleKind.TypeSpecification => _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null),
        HandleKind.FieldDefinition => [_metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType()],
        HandleKind.MethodDefinition => [_metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType()],
        HandleKind.MethodSpecification => NamesOf(_metadata.GetMethodSpecification((MethodSpecificationHandle)handle)),
        HandleKind.MemberReference => NamesOf(_metadata.GetMemberReference((MemberReferenceHandle)handle)),
        _ => [],
    };

    private IEnumerable<TypeDefinitionHandle> NamesOf(MethodSpecification method) =>
        [.. NamesOf(method.Method), .. method.DecodeSignature(this, null).SelectMany(argument => argument)];

    private IEnumerable<TypeDefinitionHandle> NamesOf(MemberReference member) =>
    [
        .. NamesOf(member.Parent),
        .. member.GetKind() == MemberReferenceKind.Field ? member.DecodeFieldSignature(this, null) : Names(member.DecodeMethodSignature(this, null)),
    ];

    private static ImmutableArray<TypeDefinitionHandle> Names(MethodSignature<ImmutableArray<TypeDefinitionHandle>> signature) =>
        [.. signature.ReturnType, .. signature.ParameterTypes.SelectMany(parameter => parameter)];

    public ImmutableArray<TypeDefinitionHandle> GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => [handle];

    public ImmutableArray<TypeDefinitionHandle> GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => [];

    public ImmutableArray<TypeDefinitionHandle> GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public ImmutableArray<TypeDefinitionHandle> GetPrimitiveType(PrimitiveTypeCode typeCode) => [];

    public ImmutableArray<TypeDefinitionHandle> GetGenericTypeParameter(object? genericContext, int index) => [];

    public ImmutableArray<TypeDefinitionHandle> GetGenericMethodParameter(object? genericContext, int index) => [];

    public ImmutableArray<TypeDefinitionHandle> GetSZArrayType(ImmutableArray<TypeDefinitionHandle> elementType) => elementType;

    public ImmutableArray<TypeDefinitionHandle> GetArrayType(ImmutableArray<TypeDefinitionHandle> elementType, ArrayShape shape) => elementType;

    public ImmutableArray<TypeDefinitionHandle> GetByReferenceType(ImmutableArray<TypeDefinitionHandle> elementType) => elementType;

    public ImmutableArray<TypeDefinitionHandle> GetPointerType(ImmutableArray<TypeDefinitionHandle> elementType) => elementType;

    public ImmutableArray<TypeDefinitionHandle> GetPinnedType(ImmutableArray<TypeDefinitionHandle> elementType) => elementType;

    public ImmutableArray<TypeDefinitionHandle> GetModifiedType(
        ImmutableArray<TypeDefinitionHandle> modifier, ImmutableArray<TypeDefinitionHandle> unmodifiedType, bool isRequired) => [.. modifier, .. unmodifiedType];

    public ImmutableArray<TypeDefinitionHandle> GetFunctionPointerType(MethodSignature<ImmutableArray<TypeDefinitionHandle>> signature) => Names(signature);

    public ImmutableArray<TypeDefinitionHandle> GetGenericInstantiation(
        ImmutableArray<TypeDefinitionHandle> genericType, ImmutableArray<ImmutableArray<TypeDefinitionHandle>> typeArguments) =>
        [.. genericType, .. typeArguments.SelectMany(argument => argument)];
}
