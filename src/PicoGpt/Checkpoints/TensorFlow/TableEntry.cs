namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>One key and its value in a sorted table.</summary>
internal readonly record struct TableEntry(byte[] Key, ReadOnlyMemory<byte> Value);
