namespace PicoGpt.Pictures;

/// <summary>What a cell of a heatmap shows of the values that it stands for.</summary>
internal enum CellValue
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The one of the greatest magnitude.</summary>
    Extreme,
}
