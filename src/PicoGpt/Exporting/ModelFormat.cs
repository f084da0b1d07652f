namespace PicoGpt.Exporting;

/// <summary>The formats in which weights are written.</summary>
public enum ModelFormat
{
    /// <summary>NumPy's archive of arrays, with the names of picoGPT's tree: <c>blocks/0/attn/c_attn/w</c>.</summary>
    Npz,

    /// <summary>Hugging Face's format, with the names of its GPT-2: <c>transformer.h.0.attn.c_attn.weight</c>.</summary>
    Safetensors,

    /// <summary>TensorFlow's V2 checkpoint, with the names of OpenAI's code: <c>model/h0/attn/c_attn/w</c>.</summary>
    TensorFlow,
}
