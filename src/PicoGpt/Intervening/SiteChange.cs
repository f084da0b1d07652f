namespace PicoGpt.Intervening;

/// <summary>What an intervention does at one site of one layer.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Columns">The values of a row that are changed, in order; <see langword="null"/> for all.</param>
/// <param name="Factor">What is multiplied by.</param>
/// <param name="Given">What is to stand there or be added, of a pattern by head; none where nothing is needed.</param>
internal sealed record SiteChange(InterventionKind Kind, int[]? Columns, float Factor, GivenValues?[] Given)
{
    /// <summary>Changes a row.</summary>
    public void Apply(int position, Span<float> values, int head = 0)
    {
        ReadOnlySpan<float> given = head < Given.Length ? Given[head] is { } rows ? rows.At(position) : [] : [];
        if (Kind is not (InterventionKind.Zero or InterventionKind.Scale) && given.IsEmpty) return; // the other text has no such position
        if (Columns is null)
        {
            for (int i = 0; i < values.Length; i++) Apply(ref values[i], i, given);
            return;
        }

        foreach (int i in Columns)
        {
            if (i < values.Length) Apply(ref values[i], i, given); // a position does not look at later ones
        }
    }

    private void Apply(ref float value, int column, ReadOnlySpan<float> given)
    {
        switch (Kind)
        {
            case InterventionKind.Zero:
                value = 0;
                break;
            case InterventionKind.Scale:
                value *= Factor;
                break;
            case InterventionKind.Add:
                value += Factor * given[column];
                break;
            default:
                value = given[column];
                break;
        }
    }
}
