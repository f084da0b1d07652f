namespace PicoGpt.Fuzz;

/// <summary>Tells a driver that a case ended as none may.</summary>
internal sealed class FuzzFaultException(FuzzFind find) : Exception(find.What)
{
    public FuzzFind Find { get; } = find;
}
