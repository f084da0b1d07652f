using PicoGpt.Architecture;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>The memory that running a model takes, in bytes; an estimate, a few per cent from the truth.</summary>
/// <param name="Weights">The weights; where they are mapped, the system may take them back and read them again.</param>
/// <param name="Cache">
/// The keys and values of every layer and position, in float32: 2 · n_layer · n_ctx · n_embd · 4 for every text with a full context; in
/// other precisions half of that, and a scale of 4 bytes for each of them and every head.
/// </param>
/// <param name="Activations">What one portion of a prompt passes through.</param>
public sealed record Gpt2MemoryNeed(long Weights, long Cache, long Activations)
{
    /// <summary>The most positions that are computed together: a prompt is read in portions of so many.</summary>
    internal const int Portion = 256;

    // x, norm, q, k, v, heads, projection; the hidden values come beside them
    private const int RowsOfWidth = 7;

    /// <summary>
    /// Of the weights, what has to stay in memory of the process: they are of another type in their file, or lie there the other way round. All others are
    /// mapped, and the system may take them back.
    /// </summary>
    public long Held { get; init; }

    /// <summary>All of it.</summary>
    public long Total => Weights + Cache + Activations;

    /// <summary>What a model of a shape needs.</summary>
    /// <param name="h">The shape.</param>
    /// <param name="precision">How its matrices are held.</param>
    /// <param name="texts">How many texts are read together.</param>
    /// <returns>The estimate.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no text.</exception>
    public static Gpt2MemoryNeed Of(Gpt2HyperParameters h, Gpt2Precision precision = Gpt2Precision.Float32, int texts = 1)
    {
        ArgumentNullException.ThrowIfNull(h);
        ArgumentOutOfRangeException.ThrowIfLessThan(texts, 1);
        long perPosition = precision == Gpt2Precision.Float32 ? (long)h.NEmbd * sizeof(float) : ((long)h.NEmbd * sizeof(short)) + ((long)h.NHead * sizeof(float));
        long cache = 2L * h.NLayer * h.NCtx * perPosition;
        long row = ((long)RowsOfWidth * h.NEmbd) + h.NInner + QuantizedLength(h, precision);
        long activations = ((Math.Min(Portion, h.NCtx) * row) + ((long)texts * h.NVocab)) * sizeof(float);
        return new Gpt2MemoryNeed(WeightsOf(h, precision), texts * cache, activations);
    }

    /// <summary>What a model needs that is open.</summary>
    /// <param name="parameters">Its weights.</param>
    /// <param name="precision">How its matrices are held.</param>
    /// <param name="texts">How many texts are read together.</param>
    /// <returns>The estimate.</returns>
    internal static Gpt2MemoryNeed Of(Gpt2Parameters parameters, Gpt2Precision precision, int texts = 1)
    {
        bool isPacked = precision != Gpt2Precision.Float32; // matrices have a file of their own then, which is mapped
        IEnumerable<Gpt2Weight> held = parameters.Where(weight => !(isPacked && weight.Leaf.IsMatrix) && !weight.Stored.IsInPlace && !weight.IsRead);
        return Of(parameters.HyperParameters, precision, texts) with { Held = held.Sum(weight => weight.Count * sizeof(float)) };
    }

    /// <summary>Floats of memory in which a position is held as integers, where it is multiplied by integers.</summary>
    internal static long QuantizedLength(Gpt2HyperParameters h, Gpt2Precision precision)
    {
        int columns = Math.Max(h.NEmbd, h.NInner);
        PackedFormat[] formats = [PackedFormat.Of(precision), PackedFormat.Of(precision, isEmbedding: true)];
        return formats.Max(format => format is QuantizedFormat integers ? QuantizedMatrix.LengthOf(columns, integers) : 0);
    }

    private static long WeightsOf(Gpt2HyperParameters h, Gpt2Precision precision) => Gpt2Architecture.Sum(
        h, leaf => leaf.IsMatrix && precision != Gpt2Precision.Float32 ? PackedWeights.SizeOf(leaf, precision) : leaf.Count * sizeof(float));
}
