namespace PicoGpt.Checkpoints.Gguf;

/// <summary>Where in the file a value of the metadata stands.</summary>
/// <param name="Type">Its type; that of the elements where it is an array.</param>
/// <param name="Count">The elements of an array; <see langword="null"/> where it is not one.</param>
/// <param name="Offset">Where the value, or the first element, begins.</param>
internal readonly record struct GgufValue(GgufValueType Type, long? Count, long Offset);
