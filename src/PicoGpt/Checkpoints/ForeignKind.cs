namespace PicoGpt.Checkpoints;

/// <summary>A kind of file that is not read.</summary>
/// <param name="What">What it is, in words: <c>an ONNX model</c>.</param>
/// <param name="Advice">What to do instead, as the second half of a sentence.</param>
/// <param name="Matches">Whether a file that begins with some bytes is of the kind.</param>
internal sealed record ForeignKind(string What, string Advice, Func<byte[], bool> Matches);
