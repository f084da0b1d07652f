namespace PicoGpt.Checkpoints;

/// <summary>What is told of a tensor before it is written.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="DType">Its element type there, or that from which its elements are rounded.</param>
/// <param name="Shape">Its dimensions there.</param>
internal readonly record struct TensorDescription(string Name, TensorDType DType, TensorShape Shape)
{
    /// <summary>The format's name for the blocks of few bits to which the elements are rounded; <see langword="null"/> where they are not.</summary>
    public string? Quantization { get; init; }

    /// <summary>The bytes that it takes; to be told where it is quantized.</summary>
    public long Size { get => Quantization is null ? Shape.ElementCount * DType.ElementSize()!.Value : field; init; }
}
