using PicoGpt.Files;
using PicoGpt.Pickles;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>Makes tensors of the descriptions in a file of PyTorch's, when they were checked against what is there.</summary>
internal static class TorchTensors
{
    /// <param name="files">What keeps the file mapped.</param>
    /// <param name="number">Which of its files.</param>
    /// <param name="weights">The descriptions by name.</param>
    /// <param name="data">What is there, by the storages' keys.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidDataException">A description does not fit what is there.</exception>
    /// <exception cref="NotSupportedException">A tensor is of a kind that is not read.</exception>
    public static StoredTensor[] Of(
        ShardMappings files, int number, IEnumerable<KeyValuePair<string, TorchTensor>> weights, Dictionary<string, TorchData> data, CancellationToken cancellationToken)
    {
        List<StoredTensor> tensors = [];
        foreach ((string name, TorchTensor tensor) in weights)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tensors.Add(Of(files, number, name, tensor, data));
        }

        return [.. tensors];
    }

    private static StoredTensor Of(ShardMappings files, int number, string name, TorchTensor tensor, Dictionary<string, TorchData> storages)
    {
        (TensorDType dtype, string key, long most, _) = tensor.Storage;
        int elementSize = dtype.ElementSize()!.Value;
        string shown = PickleGlobal.Shorten(name);
        if (!storages.TryGetValue(key, out TorchData? data)) throw new InvalidDataException($"the data of tensor '{shown}' is missing");
        if (data.IsCompressed) throw new NotSupportedException($"the data of its tensor '{shown}' is compressed");
        if ((Int128)most * elementSize != data.Size)
        {
            throw new InvalidDataException(
                $"the data of tensor '{shown}' should be {most} elements of {dtype.DisplayName()}, but has {data.Size} bytes");
        }

        if (tensor.Shape.Length != tensor.Strides.Length || !TensorShape.TryCountElements(tensor.Shape, out long count))
            throw new InvalidDataException($"tensor '{shown}' has dimensions that make no sense");
        if (tensor.Begin < 0 || tensor.Begin > most || (count > 0 && tensor.End > most))
            throw new InvalidDataException($"tensor '{shown}' reaches beyond its data");
        long begin = (long)tensor.Begin, offset = data.Offset + (begin * elementSize);
        var shape = new TensorShape(tensor.Shape);
        if (count == 0 || tensor.IsContiguous) return new MappedTensor(files, number, offset, name, dtype, shape, data.Checksum);

        // What repeats its numbers may be as large as it likes: a small file could ask for any amount of memory.
        if (count > files.Open(number).Length)
            throw new NotSupportedException($"its tensor '{shown}' {shape} repeats its data to more elements than the file has bytes");
        var elements = new MappedTensor(files, number, offset, name, dtype, new TensorShape((long)(tensor.End - tensor.Begin)), data.Checksum);
        return new StridedTensor(elements, shape, tensor.Strides);
    }
}
