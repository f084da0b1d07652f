using PicoGpt.Checkpoints;
using PicoGpt.Files;
using PicoGpt.Weights;

namespace PicoGpt.Comparing;

/// <summary>Compares the weights of a model with those of another, its reference.</summary>
public static class WeightComparer
{
    // Between two looks at whether it is to stop: some milliseconds.
    private const int ChunkLength = 1 << 20;

    /// <summary>Compares two weights of one shape, value by value. The sums are in double precision, in the order of the values.</summary>
    /// <param name="reference">The model that is compared with.</param>
    /// <param name="model">The model.</param>
    /// <param name="name">The weight's name.</param>
    /// <param name="cancellationToken">Stops within some milliseconds.</param>
    /// <returns>How the weight differs.</returns>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.TensorNotFound"/>: one of the models has no such weight; <see cref="Gpt2Error.WrongArchitecture"/>: the two have
    /// different shapes; or the values are not those that the checkpoint's index describes.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2WeightDifference Compare(Gpt2Model reference, Gpt2Model model, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(name);
        Gpt2Weight a = Find(reference, name, model), b = Find(model, name, reference);
        if (!a.Shape.SequenceEqual(b.Shape))
        {
            throw new Gpt2Exception(
                Gpt2Error.WrongArchitecture,
                $"'{name}' has the shape {TensorShape.Of(a.Shape)} in {reference.Name} and {TensorShape.Of(b.Shape)} in {model.Name}; only weights of one shape are compared.",
                model.Path);
        }

        using var held = new HeldMemory<float>(a.ReadOnce());
        using var heldModel = new HeldMemory<float>(b.ReadOnce());
        Sums sums = Sum(held.Span, heldModel.Span, cancellationToken);
        held.ThrowIfChanged();
        heldModel.ThrowIfChanged();
        return new Gpt2WeightDifference
        {
            Reference = reference.Name,
            Model = model.Name,
            Name = name,
            Shape = a.Shape,
            Count = a.Count,
            Changed = sums.Changed,
            Norm = Math.Sqrt(sums.Difference),
            ReferenceNorm = Math.Sqrt(sums.Reference),
            Cosine = sums.Cosine,
            Max = sums.Max,
        };
    }

    /// <summary>The names of the weights of both models, those of the reference first, in the order in which it uses them.</summary>
    /// <param name="reference">The model that is compared with.</param>
    /// <param name="model">The model.</param>
    /// <returns>The names.</returns>
    public static IEnumerable<string> NamesOf(Gpt2Model reference, Gpt2Model model)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(model);
        return reference.Parameters.Concat(model.Parameters).Select(weight => weight.Name).Distinct();
    }

    /// <summary>Whether there is a weight that has the same shape in both models.</summary>
    /// <param name="reference">The model that is compared with.</param>
    /// <param name="model">The model.</param>
    public static bool CanCompare(Gpt2Model reference, Gpt2Model model)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(model);
        var shapes = model.Parameters.ToDictionary(weight => weight.Name, weight => weight.Shape);
        return reference.Parameters.Any(
            weight => shapes.TryGetValue(weight.Name, out IReadOnlyList<int>? shape) && weight.Shape.SequenceEqual(shape));
    }

    private static Gpt2Weight Find(Gpt2Model model, string name, Gpt2Model other) =>
        model.Parameters.FirstOrDefault(weight => weight.Name == name)
        ?? throw new Gpt2Exception(
            Gpt2Error.TensorNotFound, $"{model.Name} has no weight '{name}' that could be compared with that of {other.Name}.", model.Path);

    private static Sums Sum(ReadOnlySpan<float> reference, ReadOnlySpan<float> model, CancellationToken cancellationToken)
    {
        Sums sums = default;
        for (int start = 0; start < reference.Length; start += ChunkLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = Math.Min(ChunkLength, reference.Length - start);
            sums.Add(reference.Slice(start, length), model.Slice(start, length));
        }

        return sums;
    }

    /// <summary>The sums of squares and products.</summary>
    private struct Sums
    {
        public double Difference, Reference, Model, Product, Max;
        public long Changed;

        public readonly double? Cosine =>
            Reference > 0 && Model > 0 ? Math.Clamp(Product / (Math.Sqrt(Reference) * Math.Sqrt(Model)), -1, 1) : null;

        public void Add(ReadOnlySpan<float> reference, ReadOnlySpan<float> model)
        {
            for (int i = 0; i < reference.Length; i++)
            {
                double a = reference[i], b = model[i], d = b - a;
                Difference += d * d;
                Reference += a * a;
                Model += b * b;
                Product += a * b;
                Max = Math.Max(Max, Math.Abs(d)); // a NaN stays
                if (!b.Equals(a)) Changed++; // a NaN equals a NaN
            }
        }
    }
}
