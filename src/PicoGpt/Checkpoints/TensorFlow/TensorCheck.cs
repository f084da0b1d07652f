namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>The result of checking one tensor.</summary>
/// <param name="Entry">The tensor.</param>
/// <param name="Error">What is wrong with it, or <see langword="null"/>.</param>
public sealed record TensorCheck(TensorEntry Entry, Gpt2Exception? Error)
{
    /// <summary>Whether the tensor's bytes are there and have the stored checksum.</summary>
    public bool IsValid => Error is null;
}
