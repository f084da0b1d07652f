using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Weights;

/// <summary>Tensors one below the other: the queries', keys' and values' matrices of a checkpoint that has them apart.</summary>
internal sealed class JoinedTensor : StoredTensor
{
    private readonly StoredTensor[] _parts;

    private JoinedTensor(StoredTensor[] parts, TensorShape shape)
        : base(string.Join(" + ", parts.Select(part => part.Name)), parts[0].DType, shape) => _parts = parts;

    public override long Size => _parts.Sum(part => part.Size);

    public override string? Quantization => _parts[0].Quantization;

    public override string GetFingerprint(CancellationToken cancellationToken) => string.Join(' ', _parts.Select(part => part.GetFingerprint(cancellationToken)));

    /// <summary>Joins tensors along their first dimension.</summary>
    /// <param name="parts">The tensors.</param>
    /// <param name="location">Where they are, for the sentence.</param>
    /// <exception cref="Gpt2Exception">They are not of the same type, or differ in more than the first dimension.</exception>
    public static JoinedTensor Of(StoredTensor[] parts, string location)
    {
        StoredTensor first = parts[0];
        StoredTensor? other = Array.Find(parts, part => part.DType != first.DType || part.Shape.Rank == 0 || !part.Shape.Dimensions.Skip(1).SequenceEqual(first.Shape.Dimensions.Skip(1)));
        if (other is not null)
        {
            throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture,
                $"'{location}' has '{first.Name}' as {first.Shape} of {first.DType.DisplayName()}, but '{other.Name}' as {other.Shape} of {other.DType.DisplayName()}; "
                    + "in a GPT-2 they are alike.",
                location);
        }

        return new JoinedTensor(parts, new TensorShape([parts.Sum(part => part.Shape[0]), .. first.Shape.Dimensions.Skip(1)]));
    }

    public override void Verify(CancellationToken cancellationToken = default)
    {
        foreach (StoredTensor part in _parts) part.Verify(cancellationToken);
    }

    public override FileHole? FindHole() => _parts.Select(part => part.FindHole()).FirstOrDefault(hole => hole is not null);

    public override ReadOnlyMemory<byte> GetBytes() => Join(part => part.GetBytes());

    public override ReadOnlyMemory<float> GetFloats() => Join(part => part.GetFloats());

    private T[] Join<T>(Func<StoredTensor, ReadOnlyMemory<T>> read)
        where T : unmanaged
    {
        ReadOnlyMemory<T>[] parts = Array.ConvertAll(_parts, part => read(part));
        T[] joined = new T[parts.Sum(part => part.Length)];
        int done = 0;
        foreach (ReadOnlyMemory<T> part in parts)
        {
            using var held = new HeldMemory<T>(part);
            held.Span.CopyTo(joined.AsSpan(done));
            held.ThrowIfChanged();
            done += part.Length;
        }

        return joined;
    }
}
