namespace PicoGpt.Inference;

/// <summary>
/// The rows of a batch that belong to one text: <paramref name="Rows"/> rows from <paramref name="Row"/> on, the next positions
/// of its cache.
/// </summary>
internal readonly record struct TextRows(KeyValueCache Cache, int Row, int Rows);
