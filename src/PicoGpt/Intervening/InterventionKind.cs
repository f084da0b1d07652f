namespace PicoGpt.Intervening;

/// <summary>What an intervention does with the values that it chooses.</summary>
public enum InterventionKind
{
    /// <summary>They become 0.</summary>
    Zero,

    /// <summary>They become the mean of what stood there in other texts.</summary>
    Mean,

    /// <summary>They become given values.</summary>
    Value,

    /// <summary>They become what stood there, at the same positions, in another text.</summary>
    Patch,

    /// <summary>They are multiplied by a number.</summary>
    Scale,

    /// <summary>Given values, times a number, are added to them.</summary>
    Add,
}
