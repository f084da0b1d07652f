namespace PicoGpt.Circuits;

/// <summary>How the rows of a text's positions become one.</summary>
public enum Pooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The last position's.</summary>
    Last,
}
