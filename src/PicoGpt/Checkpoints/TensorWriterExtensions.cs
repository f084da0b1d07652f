using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>What every writer of tensors does the same way.</summary>
internal static class TensorWriterExtensions
{
    /// <summary>Completes the files and gives them their names, all or none; older ones of these names are replaced.</summary>
    /// <exception cref="Gpt2Exception">An older file is in use, or marked as read-only; all are as they were.</exception>
    public static void Finish(this ITensorWriter writer)
    {
        writer.Complete();
        Publication.Of(writer.Files);
    }
}
