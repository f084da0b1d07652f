using PicoGpt.Architecture;

namespace PicoGpt.Testing;

/// <summary>The shapes of most random models: each as small as what it is for allows.</summary>
public static class Shapes
{
    /// <summary>Two layers of one head, as wide as OpenAI's heads are.</summary>
    public static Gpt2HyperParameters Small { get; } = new(NVocab: 300, NCtx: 32, NEmbd: 64, NHead: 1, NLayer: 2);

    /// <summary>Two layers of five heads, of a width that OpenAI's heads do not have.</summary>
    public static Gpt2HyperParameters FiveHeads { get; } = new(NVocab: 300, NCtx: 32, NEmbd: 30, NHead: 5, NLayer: 2);

    /// <summary>Heads of 7 values, and a width that is not a multiple of anything.</summary>
    public static Gpt2HyperParameters Odd { get; } = new(NVocab: 300, NCtx: 80, NEmbd: 21, NHead: 3, NLayer: 2);

    /// <summary>That of OpenAI's smallest model: 498 MB of weights.</summary>
    public static Gpt2HyperParameters Gpt2Of124M { get; } = new(NVocab: 50257, NCtx: 1024, NEmbd: 768, NHead: 12, NLayer: 12);
}
