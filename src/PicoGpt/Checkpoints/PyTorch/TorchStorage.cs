namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>Numbers in a file of PyTorch's, which one tensor or several are views of.</summary>
/// <param name="DType">Their type.</param>
/// <param name="Key">The name under which they stand in the file.</param>
/// <param name="Count">How many stand there.</param>
/// <param name="First">The number of the first that belongs to the storage: old files have storages within others.</param>
internal sealed record TorchStorage(TensorDType DType, string Key, long Count, long First = 0);
