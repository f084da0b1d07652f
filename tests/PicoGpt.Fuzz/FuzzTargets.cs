using PicoGpt.Fuzz.Targets;

namespace PicoGpt.Fuzz;

/// <summary>All targets.</summary>
internal static class FuzzTargets
{
    /// <summary>Their makers, by name; each is given the folder under which it has its own.</summary>
    public static IReadOnlyDictionary<string, Func<string, FuzzTarget>> All { get; } = new Dictionary<string, Func<string, FuzzTarget>>(StringComparer.Ordinal)
    {
        ["index"] = root => new IndexTarget(root),
        ["data"] = root => new DataTarget(root),
        ["checkpoint"] = root => new CheckpointFileTarget(root),
        ["hparams.json"] = root => new HyperParametersTarget(root),
        ["encoder.json"] = root => new VocabularyTarget("encoder.json", root),
        ["vocab.bpe"] = root => new VocabularyTarget("vocab.bpe", root),
        ["tokenizer.json"] = root => new TransformersTarget("tokenizer.json", root),
        ["tokenizer_config.json"] = root => new TransformersTarget("tokenizer_config.json", root),
        ["added_tokens.json"] = root => new TransformersTarget("added_tokens.json", root),
        ["special_tokens_map.json"] = root => new TransformersTarget("special_tokens_map.json", root),
        ["generation_config.json"] = root => new TransformersTarget("generation_config.json", root),
        ["safetensors"] = root => new SafetensorsTarget(root),
        ["safetensors.index"] = root => new SafetensorsIndexTarget(root),
        ["pickle"] = root => new PickleTarget(root),
        ["meta.pkl"] = root => new MetaPickleTarget(root),
        ["torch"] = root => new TorchTarget(root),
        ["gguf"] = root => new GgufTarget(root),
        ["npz"] = root => new NpzTarget(root),
        ["config.json"] = root => new ConfigTarget(root),
        ["converted"] = root => new ConvertedTarget(root),
        ["journal"] = root => new JournalTarget(root),
        ["model"] = root => new ModelTarget(root),
        ["training"] = root => new TrainingTarget(root),
        ["adapter"] = root => new AdapterTarget(root),
    };
}
