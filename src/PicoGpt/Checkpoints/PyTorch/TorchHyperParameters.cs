using PicoGpt.Architecture;
using PicoGpt.Pickles;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>
/// The shape of a nanoGPT's model, which its checkpoint tells under <c>model_args</c> (train.py and model.py of karpathy/nanoGPT). Its models
/// have the exact GELU; those from before it could leave biases out, whose arguments have no <c>bias</c>, have GPT-2's own.
/// </summary>
internal static class TorchHyperParameters
{
    // Dropout is for training alone.
    private static readonly string[] Known = ["n_layer", "n_head", "n_embd", "block_size", "vocab_size", "bias", "dropout"];

    /// <summary>The shape; <see langword="null"/> where the file does not tell it.</summary>
    /// <exception cref="Gpt2Exception">What it tells makes no sense, or is of another model.</exception>
    public static Gpt2HyperParameters? Read(TorchSource source)
    {
        if (source.Arguments.Count == 0) return null;
        string? unknown = source.Arguments.Keys.FirstOrDefault(key => !Known.Contains(key));
        if (unknown is not null) throw Bad($"has '{PickleGlobal.Shorten(unknown)}' among its model_args, which nanoGPT's model does not know");
        bool isOld = !source.Arguments.TryGetValue("bias", out object? bias);
        var h = new Gpt2HyperParameters(Number("vocab_size"), Number("block_size"), Number("n_embd"), Number("n_head"), Number("n_layer"))
        {
            Activation = isOld ? Gpt2Activation.GeluTanh : Gpt2Activation.Gelu,
            Bias = isOld || (bias as bool? ?? throw Bad("has no truth value 'bias' among its model_args")),
        };
        return h.Validate(source.Location);

        int Number(string key) => source.Arguments.GetValueOrDefault(key) is long and >= 0 and <= int.MaxValue and var number
            ? (int)number
            : throw Bad($"has no whole number '{key}' among its model_args");

        Gpt2Exception Bad(string what) => new(Gpt2Error.Unsupported, $"'{source.Location}' {what}; a model that is made otherwise is not run.", source.Location);
    }
}
