using PicoGpt.Checkpoints;

namespace PicoGpt.Weights;

/// <summary>
/// The token embedding of a checkpoint that has the output projection as a tensor of its own. GPT-2 has the two in one; that they are
/// the same is verified when the embedding is first read.
/// </summary>
internal sealed class TiedEmbedding(StoredTensor embedding, StoredTensor output, string location)
    : StoredTensor(embedding.Name, embedding.DType, embedding.Shape)
{
    public override long Size => embedding.Size;

    public override string Fingerprint => embedding.Fingerprint;

    public override void Verify()
    {
        embedding.Verify();
        if (embedding.DType == output.DType && embedding.Shape == output.Shape && HaveSameBytes()) return;
        throw new Gpt2Exception(
            Gpt2Error.WrongArchitecture,
            $"'{location}' has an output projection '{output.Name}' {output.Shape} that differs from its embedding '{Name}' {Shape}; "
                + "a GPT-2 has the same numbers in both, so this is a model of another kind.",
            location);
    }

    public override ReadOnlyMemory<byte> GetBytes() => embedding.GetBytes();

    public override ReadOnlyMemory<float> GetFloats() => embedding.GetFloats();

    private bool HaveSameBytes()
    {
        ReadOnlyMemory<byte> left = embedding.GetBytes(), right = output.GetBytes();
        using System.Buffers.MemoryHandle leftHold = left.Pin(), rightHold = right.Pin();
        return left.Span.SequenceEqual(right.Span);
    }
}
