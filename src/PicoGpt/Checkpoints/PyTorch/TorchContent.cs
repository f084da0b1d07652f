using PicoGpt.Pickles;
using Items = System.Collections.Generic.List<System.Collections.Generic.KeyValuePair<object?, object?>>;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// What a file of <c>torch.save</c> holds: a state dictionary, or a dictionary in which that stands under a key, with whatever a trainer keeps
/// beside it.
/// </summary>
/// <param name="Weights">The tensors by name.</param>
/// <param name="Arguments">
/// What the model was made with, as nanoGPT keeps it under <c>model_args</c>: numbers, truth values and texts by name. Empty where there is none.
/// </param>
/// <param name="Dataset">What the model was trained on, as nanoGPT keeps it under <c>config</c>; <see langword="null"/> where it is not told.</param>
internal sealed record TorchContent(
    IReadOnlyList<KeyValuePair<string, TorchTensor>> Weights, IReadOnlyDictionary<string, object?> Arguments, string? Dataset)
{
    private const string ArgumentsKey = "model_args", ConfigKey = "config", DatasetKey = "dataset";
    private const int MaxNamed = 5;

    // Of nanoGPT; Lightning and many; PyTorch's tutorials; DeepSpeed; and others that were met.
    private static readonly string[] WeightKeys = ["model", "state_dict", "model_state_dict", "module", "model_state", "weights", "params"];

    /// <summary>Finds the weights.</summary>
    /// <exception cref="NotSupportedException">There are none, or they are not told from other dictionaries of tensors.</exception>
    public static TorchContent Of(object? content)
    {
        if (content is PickleObject { Class: { } type })
            throw new NotSupportedException($"it holds a whole '{type}' in place of a dictionary of tensors");
        if (content is not Items items) throw new NotSupportedException("it holds no dictionary of tensors");
        Items weights = WeightsIn(items);
        Dictionary<string, object?> arguments = new(StringComparer.Ordinal);
        if (weights != items && ValueOf(items, ArgumentsKey) is Items known)
        {
            foreach ((object? key, object? value) in known)
            {
                if (key is string name) arguments[name] = value;
            }
        }

        string? dataset = weights != items && ValueOf(items, ConfigKey) is Items config ? ValueOf(config, DatasetKey) as string : null;
        return new TorchContent([.. weights.Select(Named)], arguments, dataset);
    }

    private static Items WeightsIn(Items items)
    {
        foreach (string key in WeightKeys)
        {
            if (ValueOf(items, key) is Items nested && HasTensor(nested)) return nested;
        }

        if (HasTensor(items)) return items;
        List<(string Key, Items Value)> nestedOnes = [.. items.Where(item => item.Value is Items value && HasTensor(value)).Select(item => (item.Key as string ?? "", (Items)item.Value!))];
        if (nestedOnes is [var (_, only)]) return only;
        if (nestedOnes.Count > 1)
            throw new NotSupportedException($"it holds several dictionaries of tensors, {Quote(nestedOnes.Select(nested => nested.Key))}, and none is called 'model' or 'state_dict'");
        string what = items.Count == 0 ? "an empty dictionary" : $"a dictionary of {Quote(items.Select(item => item.Key as string ?? "?"))}";
        throw new NotSupportedException($"it holds no dictionary of tensors but {what}");
    }

    private static KeyValuePair<string, TorchTensor> Named(KeyValuePair<object?, object?> item)
    {
        if (item.Key is not string name) throw new NotSupportedException("it has a tensor, or what stands in place of one, without a name");
        string shown = PickleGlobal.Shorten(name);
        return item.Value switch
        {
            TorchTensor tensor => new(name, tensor),
            PickleObject { Class: { } type } => throw new NotSupportedException($"its item '{shown}' is of '{type}', not a tensor that is read"),
            Items => throw new NotSupportedException($"its item '{shown}' is a dictionary, not a tensor"),
            _ => throw new NotSupportedException($"its item '{shown}' is not a tensor"),
        };
    }

    private static object? ValueOf(Items items, string key) => items.FindLast(item => item.Key is string name && name == key).Value;

    private static bool HasTensor(Items items) => items.Exists(item => item.Value is TorchTensor);

    private static string Quote(IEnumerable<string> names) => Excerpt.Quoted(names.Select(PickleGlobal.Shorten), MaxNamed);
}
