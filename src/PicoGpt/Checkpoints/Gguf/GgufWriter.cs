using System.Runtime.InteropServices;
using PicoGpt.Files;

namespace PicoGpt.Checkpoints.Gguf;

/// <summary>Writes a GGUF file. Its header stands before the data, so the tensors are told of before they come.</summary>
internal sealed class GgufWriter : ITensorWriter
{
    private const int Alignment = GgufFile.DefaultAlignment;

    private readonly OutputFile _file;
    private readonly Queue<TensorDescription> _expected;

    /// <param name="path">The full path of the file.</param>
    /// <param name="header">The metadata.</param>
    /// <param name="tensors">The tensors in the order in which they come.</param>
    /// <param name="meter">What counts the bytes of the tensors.</param>
    public GgufWriter(string path, GgufHeader header, IReadOnlyList<TensorDescription> tensors, WriteMeter? meter = null)
    {
        _expected = new(tensors);
        byte[] bytes = header.ToArray([.. tensors.Select(tensor => (tensor.Name, FormatOf(tensor), tensor.Shape))], Alignment);
        _file = new OutputFile(path, meter);
        try
        {
            _file.Stream.Write(bytes);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Adds a tensor: of the type in which it is to stand in the file, or of float32 where that is Q8_0, to which it is rounded.</summary>
    public void Add(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data)
    {
        if (!_expected.TryDequeue(out TensorDescription next) || (next.Name, next.DType, next.Shape) != (name, dtype, shape))
            throw new ArgumentException($"tensor '{name}' does not come in its turn", nameof(name));
        if (data.Length != shape.ElementCount * dtype.ElementSize())
            throw new ArgumentException($"{shape} of {dtype.DisplayName()} does not take {data.Length} bytes", nameof(data));
        ReadOnlySpan<byte> written = next.Quantization is not null ? Quantize(MemoryMarshal.Cast<byte, float>(data)) : data;
        _file.Write(written);
        _file.Stream.Write(new byte[GgufFile.Align(written.Length, Alignment) - written.Length]);
    }

    public void Complete()
    {
        if (_expected.Count > 0) throw new InvalidOperationException($"tensor '{_expected.Peek().Name}' has not come");
        _file.Complete();
    }

    public IReadOnlyList<OutputFile> Files => [_file];

    public void Dispose() => _file.Dispose();

    private static GgmlFormat FormatOf(TensorDescription tensor) => GgmlFormat.Of((tensor.Quantization, tensor.DType) switch
    {
        (nameof(GgmlType.Q8_0), TensorDType.Float32) => GgmlType.Q8_0,
        (null, TensorDType.Float32) => GgmlType.F32,
        (null, TensorDType.Float16) => GgmlType.F16,
        (null, TensorDType.BFloat16) => GgmlType.BF16,
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor, "not a type that is written"),
    })!;

    private static byte[] Quantize(ReadOnlySpan<float> values)
    {
        byte[] blocks = new byte[values.Length / GgmlBlocks.Length * GgmlBlocks.SizeOfQ8_0];
        for (int i = 0; i < values.Length / GgmlBlocks.Length; i++)
        {
            Span<byte> block = blocks.AsSpan(i * GgmlBlocks.SizeOfQ8_0, GgmlBlocks.SizeOfQ8_0);
            GgmlBlocks.EncodeQ8_0(values.Slice(i * GgmlBlocks.Length, GgmlBlocks.Length), block);
        }

        return blocks;
    }
}
