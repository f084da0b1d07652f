namespace PicoGpt.Checkpoints.Gguf;

/// <summary>Reads the elements of one block.</summary>
/// <param name="block">The bytes of the block.</param>
/// <param name="values">Its elements.</param>
internal delegate void BlockDecoder(ReadOnlySpan<byte> block, Span<float> values);
