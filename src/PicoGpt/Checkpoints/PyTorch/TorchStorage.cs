namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>Numbers in a file of a PyTorch archive, which one tensor or several are views of.</summary>
/// <param name="DType">Their type.</param>
/// <param name="Key">The name of the file.</param>
/// <param name="Count">How many there are.</param>
internal sealed record TorchStorage(TensorDType DType, string Key, long Count);
