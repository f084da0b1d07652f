using PicoGpt.Architecture;

namespace PicoGpt.Fuzz;

/// <summary>A model whose weights take some kilobytes.</summary>
internal static class ToyModel
{
    public const string Index = "model.ckpt.index";
    public const string Data = "model.ckpt.data-00000-of-00001";

    public static Gpt2HyperParameters Shape { get; } = new(260, 8, 4, 2, 1);
}
