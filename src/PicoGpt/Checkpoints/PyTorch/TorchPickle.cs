using PicoGpt.Pickles;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// Reads the pickles of <c>torch.save</c>: of what they would have Python call, dictionaries and tensors are known (torch/_utils.py,
/// torch/serialization.py), and for anything else a <see cref="PickleObject"/> stands. Nothing is imported or run.
/// </summary>
internal static class TorchPickle
{
    private const int MaxDimensions = 8;

    private static readonly (string Name, TensorDType DType)[] Storages =
    [
        ("FloatStorage", TensorDType.Float32), ("HalfStorage", TensorDType.Float16), ("BFloat16Storage", TensorDType.BFloat16),
        ("DoubleStorage", TensorDType.Float64), ("LongStorage", TensorDType.Int64), ("IntStorage", TensorDType.Int32),
        ("ShortStorage", TensorDType.Int16), ("CharStorage", TensorDType.Int8), ("ByteStorage", TensorDType.UInt8),
        ("BoolStorage", TensorDType.Bool),
    ];

    // No checkpoint asks for these: a file that does is an attack on those who open it in Python.
    private static readonly string[] HostileModules = ["os", "posix", "nt", "subprocess", "sys", "socket", "shutil", "runpy", "pty", "commands", "webbrowser"];
    private static readonly string[] HostileFunctions = ["eval", "exec", "execfile", "compile", "open", "__import__", "input", "breakpoint"];

    /// <summary>Reads one pickle.</summary>
    /// <param name="pickle">The bytes that it stands in.</param>
    /// <param name="start">Where it begins.</param>
    /// <param name="storages">Gets the storages that it tells of, by their keys; <see langword="null"/> where they are not needed.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>What it holds, and where it ends.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">It is of a kind that is not read.</exception>
    /// <exception cref="HostilePickleException">It would have Python run a program.</exception>
    public static (object? Content, int End) Read(byte[] pickle, int start = 0, Dictionary<string, TorchStorage>? storages = null, CancellationToken cancellationToken = default)
    {
        var reader = new PickleReader(pickle, Find, Call, LoadAndKeep, start);
        object? content = reader.Read(cancellationToken);
        return (content, reader.Position);

        object LoadAndKeep(object? id)
        {
            object loaded = Load(id);
            if (loaded is TorchStorage storage && storages is not null) storages[storage.Key] = storage;
            return loaded;
        }
    }

    private static object Find(string module, string name)
    {
        if (module is "torch" or "torch.cuda" && Array.Find(Storages, known => known.Name == name).DType is not TensorDType.None and TensorDType dtype) return dtype;
        var global = new PickleGlobal(module, name);
        bool isHostile = HostileModules.Contains(module) || (module is "builtins" or "__builtin__" && HostileFunctions.Contains(name));
        return isHostile ? throw new HostilePickleException(global) : global;
    }

    private static object? Call(object? callee, object?[] arguments) => callee is PickleGlobal global
        ? (global.Module, global.Name) switch
        {
            ("collections", "OrderedDict") => Dictionary(arguments),
            ("torch", "Size") => arguments is [object?[] sizes] ? sizes : new PickleObject(global),
            ("torch._utils", "_rebuild_tensor" or "_rebuild_tensor_v2") => Tensor(arguments),
            ("torch._utils", "_rebuild_parameter" or "_rebuild_parameter_with_state") or ("torch.nn.parameter", "Parameter") =>
                arguments is [TorchTensor or PickleObject, ..] ? arguments[0] : throw new InvalidDataException("a parameter is not described as it should be"),
            ("torch._tensor", "_rebuild_from_type_v2") => arguments is [PickleGlobal { Name: not "_rebuild_from_type_v2" } inner, _, object?[] rest, ..]
                ? Call(inner, rest)
                : throw new InvalidDataException("a tensor is not described as it should be"),
            _ => new PickleObject(global),
        }
        : callee is PickleObject ? callee : throw new InvalidDataException("it calls something that is not a name");

    // of Python 2, with a list of pairs
    private static Items Dictionary(object?[] arguments)
    {
        if (arguments.Length == 0) return [];
        if (arguments is not [List<object?> pairs]) throw new InvalidDataException("a dictionary is not described as it should be");
        return [.. pairs.Select(pair => pair switch
        {
            object?[] and [var key, var value] => new KeyValuePair<object?, object?>(key, value),
            List<object?> and [var key, var value] => new KeyValuePair<object?, object?>(key, value),
            _ => throw new InvalidDataException("a dictionary is not described as it should be"),
        })];
    }

    private static object Tensor(object?[] arguments) => arguments switch
    {
        // of a view that is negated or conjugated, whose storage has other numbers than the tensor
        [TorchStorage, _, _, _, _, _, Items { Count: > 0 }, ..] => throw new NotSupportedException("a tensor is told with further properties, such as a negated view"),
        [TorchStorage data, long offset, object?[] shape, object?[] strides, ..] => new TorchTensor(data, offset, Numbers(shape), Numbers(strides)),
        [PickleObject other, ..] => other, // of a type that is not read
        _ => throw new InvalidDataException("a tensor is not described as it should be"),
    };

    private static object Load(object? id) => id switch
    {
        object?[] and ["storage", TensorDType dtype, string key, string, long count] => new TorchStorage(dtype, key, count),
        object?[] and ["storage", TensorDType dtype, string key, string, long count, null] => new TorchStorage(dtype, key, count),
        object?[] and ["storage", TensorDType dtype, string key, string, long count, object?[] and [string, long first, long]] =>
            new TorchStorage(dtype, key, count, first),
        object?[] and ["storage", PickleGlobal other, ..] => new PickleObject(other),
        object?[] and ["module", PickleGlobal type, ..] => type, // with its source, which old versions kept
        _ => throw new InvalidDataException("a storage is not described as it should be"),
    };

    // A pickle names one tuple as often as it likes: without a limit, a small file could ask for any amount of memory.
    private static long[] Numbers(object?[] tuple)
    {
        if (tuple.Length > MaxDimensions) throw new InvalidDataException($"a tensor has {tuple.Length} dimensions");
        return [.. tuple.Select(item => item is long and >= 0 ? (long)item : throw new InvalidDataException("a dimension or a stride is not a whole number from 0 on"))];
    }
}
