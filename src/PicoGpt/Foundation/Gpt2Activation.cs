namespace PicoGpt.Foundation;

/// <summary>What a feed-forward network does to each of its hidden values: <c>activation_function</c> of Hugging Face's config.json.</summary>
public enum Gpt2Activation
{
    /// <summary>GELU in its tanh form, <c>½x(1 + tanh(√(2/π)(x + 0.044715x³)))</c>: GPT-2's own, <c>gelu_new</c>.</summary>
    GeluTanh,

    /// <summary>GELU as it is defined, <c>½x(1 + erf(x/√2))</c>: <c>gelu</c>.</summary>
    Gelu,

    /// <summary>The greater of x and 0: <c>relu</c>.</summary>
    Relu,

    /// <summary><c>x/(1 + e⁻ˣ)</c>, also called swish: <c>silu</c>.</summary>
    Silu,
}
