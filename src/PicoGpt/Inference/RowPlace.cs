namespace PicoGpt.Inference;

/// <summary>What a row of a batch is: a position of a text, which is known by its cache.</summary>
/// <param name="Text">The text's keys and values.</param>
/// <param name="Position">The position, from 0.</param>
internal readonly record struct RowPlace(KeyValueCache Text, int Position);
