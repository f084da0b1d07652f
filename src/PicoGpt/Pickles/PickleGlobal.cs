namespace PicoGpt.Pickles;

/// <summary>What a pickle names by its module and name. It is only a name here: nothing is imported or run.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    private const int MaxPartLength = 60;

    /// <summary>Both, cut short where they are long: <c>argparse.Namespace</c>.</summary>
    public override string ToString() => $"{Shorten(Module)}.{Shorten(Name)}";

    /// <summary>A name of a pickle as a sentence can have it.</summary>
    public static string Shorten(string name) => Excerpt.Of(name, MaxPartLength);
}
