namespace PicoGpt.Tests.House;

/// <summary>A type that names another.</summary>
internal readonly record struct TypeArrow(string FromRoom, string From, string ToRoom, string To)
{
    public override string ToString() => $"{FromRoom}: {From} → {ToRoom}: {To}";
}
