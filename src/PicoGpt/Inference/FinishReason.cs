namespace PicoGpt.Inference;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>As many tokens were made as were asked for.</summary>
    MaxTokens,

    /// <summary>The context is full.</summary>
    Length,

    /// <summary>The model said that the text ends: <c>&lt;|endoftext|&gt;</c>, or another of its end tokens.</summary>
    EndOfText,

    /// <summary>One of the stop strings came.</summary>
    Stop,

    /// <summary>It was cancelled.</summary>
    Cancelled,

    /// <summary>A fault ended it.</summary>
    Fault,
}
