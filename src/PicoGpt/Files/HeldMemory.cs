using System.Buffers;
using System.Runtime.InteropServices;

namespace PicoGpt.Files;

/// <summary>
/// Memory while it is read, mapped or not: as long as this is not disposed of, another thread may close the model and nothing of the
/// memory goes. What was computed on it is given out through <see cref="IfUnchanged"/>.
/// </summary>
internal readonly unsafe ref struct HeldMemory<T>
    where T : unmanaged
{
    private readonly MemoryHandle _hold;
    private readonly MappedMemory<T>? _mapped;

    /// <exception cref="Gpt2Exception">The file of the memory was changed, or is about to be.</exception>
    /// <exception cref="ObjectDisposedException">The memory is of a file that is closed.</exception>
    public HeldMemory(ReadOnlyMemory<T> memory)
    {
        _hold = memory.Pin();
        Start = (T*)_hold.Pointer;
        Length = memory.Length;
        MemoryMarshal.TryGetMemoryManager(memory, out _mapped);
    }

    /// <summary>The first element.</summary>
    public T* Start { get; }

    /// <summary>The number of elements.</summary>
    public int Length { get; }

    public ReadOnlySpan<T> Span => new(Start, Length);

    /// <summary>Lets out what was computed on the memory, if that was the file's to the end.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: it was not.</exception>
    public TResult IfUnchanged<TResult>(TResult result)
    {
        ThrowIfChanged();
        return result;
    }

    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: what was read is not the file's.</exception>
    public void ThrowIfChanged() => _mapped?.ThrowIfChanged();

    public void Dispose() => _hold.Dispose();
}
