using PicoGpt.Checkpoints;

namespace PicoGpt.Fuzz;

/// <summary>A few tensors for the formats that have nothing but tensors.</summary>
internal static class ToyTensors
{
    private static readonly (string Name, TensorDType DType, long[] Dimensions)[] List =
    [
        ("h.0.attn.c_attn.weight", TensorDType.Float32, [3, 4]), ("wpe", TensorDType.Float64, [2]), ("step", TensorDType.Int64, []),
        ("half", TensorDType.Float16, [5]), ("mask", TensorDType.Bool, [1, 3, 2]), ("none", TensorDType.UInt8, [0, 9]),
    ];

    public static IReadOnlyList<TensorDescription> All { get; } =
        [.. List.Select(tensor => new TensorDescription(tensor.Name, tensor.DType, new TensorShape(tensor.Dimensions)))];

    public static void WriteTo(ITensorWriter writer)
    {
        foreach ((string name, TensorDType dtype, TensorShape shape) in All)
        {
            byte[] data = new byte[shape.ElementCount * dtype.ElementSize()!.Value];
            for (int i = 0; i < data.Length; i++) data[i] = (byte)(7 * i);
            writer.Add(name, dtype, shape, data);
        }

        writer.Finish();
    }
}
