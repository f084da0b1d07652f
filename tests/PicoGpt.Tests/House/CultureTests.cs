using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using Xunit;

namespace PicoGpt.Tests.House;

/// <summary>
/// Sentences are English, and so are the numbers in them, wherever they are read: no text is put together of numbers by the culture of the
/// thread, in which half would be 0,5 and a thousand 1.000.
/// </summary>
public sealed class CultureTests
{
    [Fact]
    public void No_text_of_the_engine_has_numbers_by_the_culture_of_the_thread()
    {
        string wrong = string.Join('\n', Found(typeof(Gpt2Model).Assembly));
        Assert.True(wrong.Length == 0, $"These format numbers by the thread's culture; make them FormattableString.Invariant:\n{wrong}");
    }

    [Fact]
    public void A_text_with_numbers_by_the_culture_of_the_thread_is_seen() =>
        Assert.Equal(
            [nameof(Grouped), nameof(Real)],
            Found(typeof(CultureTests).Assembly).Where(name => name.StartsWith(nameof(CultureTests), StringComparison.Ordinal)).Select(name => name.Split('.')[1]).Order(StringComparer.Ordinal));

    internal static string Grouped(int number) => $"{number:N0} things";

    internal static string Real(double? number) => $"{number} of them";

    internal static string Whole(int number) => $"{number} things of {nameof(CultureTests)}, {number,3}, {number:x8}";

    internal static string Invariant(int number) => FormattableString.Invariant($"{number:N0} things");

    internal static string Given(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number:N0} things");

    private static IEnumerable<string> Found(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        foreach (MethodDefinition method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Where(method => method.RelativeVirtualAddress != 0))
        {
            if (IsByCulture(metadata, CompiledBody.NamesOf(file.GetMethodBody(method.RelativeVirtualAddress))))
                yield return $"{metadata.GetString(metadata.GetTypeDefinition(method.GetDeclaringType()).Name)}.{metadata.GetString(method.Name)}";
        }
    }

    // What puts a text together is made with two lengths, and with a provider behind them where one is given; a format stands before its use.
    private static bool IsByCulture(MetadataReader metadata, List<Handle> names)
    {
        bool isByThread = false;
        string format = "";
        foreach (Handle name in names)
        {
            if (name.Kind == HandleKind.UserString) format = metadata.GetUserString((UserStringHandle)name);
            else if (HandlerMethod(metadata, name) is (".ctor", var lengths)) isByThread = lengths == 2;
            else if (isByThread && name.Kind == HandleKind.MethodSpecification && IsByCulture(metadata, metadata.GetMethodSpecification((MethodSpecificationHandle)name), format)) return true;
        }

        return false;
    }

    // Hexadecimal numbers are the same everywhere.
    private static bool IsByCulture(MetadataReader metadata, MethodSpecification method, string format)
    {
        if (HandlerMethod(metadata, method.Method) is not ("AppendFormatted", var parameters)) return false;
        string type = method.DecodeSignature(TypeNames.Instance, null)[0];
        bool isFormatted = parameters > 1 && ParametersOf(metadata, method.Method).Contains(nameof(String));
        return TypeNames.IsReal(type) || (TypeNames.IsNumber(type) && isFormatted && format is not ['x' or 'X', ..]);
    }

    private static (string Name, int Parameters)? HandlerMethod(MetadataReader metadata, Handle handle)
    {
        if (handle.Kind != HandleKind.MemberReference) return null;
        MemberReference member = metadata.GetMemberReference((MemberReferenceHandle)handle);
        if (member.GetKind() != MemberReferenceKind.Method || member.Parent.Kind != HandleKind.TypeReference) return null;
        string type = metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name);
        return type == nameof(DefaultInterpolatedStringHandler) ? (metadata.GetString(member.Name), ParametersOf(metadata, handle).Length) : null;
    }

    private static ImmutableArray<string> ParametersOf(MetadataReader metadata, Handle method) =>
        metadata.GetMemberReference((MemberReferenceHandle)method).DecodeMethodSignature(TypeNames.Instance, null).ParameterTypes;
}
