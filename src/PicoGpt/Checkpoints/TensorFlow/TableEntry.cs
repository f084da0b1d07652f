namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>One key and its value in a sorted table.</summary>
internal sealed record TableEntry(byte[] Key, ReadOnlyMemory<byte> Value);
