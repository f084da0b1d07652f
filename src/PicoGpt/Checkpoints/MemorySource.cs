namespace PicoGpt.Checkpoints;

/// <summary>Tensors in memory.</summary>
/// <param name="location">What messages call them.</param>
/// <param name="tensors">The tensors.</param>
internal sealed class MemorySource(string location, IReadOnlyList<StoredTensor> tensors) : ITensorSource
{
    public string Location => location;

    public IReadOnlyList<string> DataFiles => [];

    public IReadOnlyList<StoredTensor> Tensors => tensors;

    public void Dispose()
    {
        // The memory is freed when nothing refers to it any more.
    }
}
