using System.IO.Compression;
using PicoGpt.Checkpoints;

namespace PicoGpt.Fuzz.Targets;

/// <summary>A <c>pytorch_model.bin</c>: a pickle and storages in a ZIP archive.</summary>
internal sealed class PickleTarget : FuzzTarget
{
    private const string File = "pytorch_model.bin";

    private readonly byte[] _pickle;
    private readonly (string Key, byte[] Bytes)[] _storages;

    public PickleTarget(string root)
        : base("pickle", root)
    {
        var tensors = ToyTensors.All.Select((tensor, i) => (tensor.Name, Tensor: Pickled(tensor.DType, tensor.Shape, i))).ToList();
        tensors.Add(("tied", TorchBytes.Parameter(tensors[0].Tensor)));
        _pickle = TorchBytes.StateDictionary(tensors);
        _storages = [.. ToyTensors.All.Select((tensor, i) => ($"{i}", Data(tensor.Shape.ElementCount * tensor.DType.ElementSize()!.Value)))];
        System.IO.File.WriteAllBytes(Path.Combine(Folder, File), TorchBytes.Archive(_pickle, _storages));
        Begin();
    }

    public override string Read() => SourceReading.Read(Path.Combine(Folder, File));

    public override Mutant Mutate(Dice dice)
    {
        if (dice.Chance(0.1)) return new Mutant([(File, ByteMutations.FlipBit(Good(File), dice))], IsCovered: true);
        byte[] bytes = dice.Chance(0.2) ? Good(File) : Forge(dice);
        if (dice.Chance(0.2)) bytes = dice.Chance(0.5) ? ByteMutations.Change(bytes, dice) : ByteMutations.ChangeEnd(bytes, dice);
        return new Mutant([(File, bytes)], IsCovered: false);
    }

    private byte[] Forge(Dice dice)
    {
        byte[] pickle = dice.Chance(0.9) ? PickleMutations.Change(_pickle, dice) : _pickle;
        (string Key, byte[] Bytes)[] storages = [.. _storages];
        if (dice.Chance(0.1)) storages[dice.Next(storages.Length)].Key = dice.Pick(["", "0", "../0", "x"]);
        if (dice.Chance(0.1)) storages[dice.Next(storages.Length)].Bytes = new byte[dice.Next(8) << dice.Next(16)];
        if (dice.Chance(0.9)) return TorchBytes.Archive(pickle, storages);

        string order = dice.Pick(["little", "big", "", new string('l', 2_000_000)]); // the last, compressed, is a bomb
        IEnumerable<(string Name, byte[] Bytes)> files =
        [
            (dice.Pick(["data.pkl", "/data.pkl", "a/data.pkl", "a/b/data.pkl"]), pickle),
            (dice.Pick(["a/byteorder", "a/b/data.pkl"]), System.Text.Encoding.ASCII.GetBytes(order)),
            .. storages.Select(storage => (dice.Pick(["a/data/", "a/data/", "/data/"]) + storage.Key, storage.Bytes)),
        ];
        return TorchBytes.Zip(files, dice.Chance(0.7) ? CompressionLevel.Fastest : CompressionLevel.NoCompression);
    }

    private static byte[] Data(long length) => [.. Enumerable.Range(1, (int)length).Select(i => (byte)(7 * i))];

    private static string Pickled(TensorDType dtype, TensorShape shape, int storage) =>
        TorchBytes.Tensor(StorageOf(dtype), $"{storage}", shape.ElementCount, [.. shape.Dimensions]);

    private static string StorageOf(TensorDType dtype) => dtype switch
    {
        TensorDType.Float32 => "FloatStorage",
        TensorDType.Float64 => "DoubleStorage",
        TensorDType.Float16 => "HalfStorage",
        TensorDType.Int64 => "LongStorage",
        TensorDType.Bool => "BoolStorage",
        _ => "ByteStorage",
    };
}
