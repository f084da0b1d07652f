namespace PicoGpt.Checkpoints;

/// <summary>What is told of a tensor before it is written.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="DType">Its element type there.</param>
/// <param name="Shape">Its dimensions there.</param>
internal readonly record struct TensorDescription(string Name, TensorDType DType, TensorShape Shape);
