using PicoGpt.Machine;
using PicoGpt.Weights;

namespace PicoGpt.Inference;

/// <summary>Tells before a model is run whether the machine's memory will do.</summary>
public static class MemoryCheck
{
    /// <summary>Requires that this machine has the memory that running a model needs.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">How many texts are read together.</param>
    /// <returns>A warning with both numbers where it is scarce, or <see langword="null"/> where there is enough.</returns>
    /// <exception cref="Gpt2Exception">
    /// <see cref="Gpt2Error.InsufficientMemory"/>: it needs more than the machine has in all, or what cannot be read again from the
    /// files needs more than is free.
    /// </exception>
    public static string? Require(Gpt2Model model, int texts = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Require(model.Name, Gpt2MemoryNeed.Of(model.Parameters, model.Precision, texts), AvailableMemory.Bytes, AvailableMemory.TotalBytes);
    }

    /// <summary>Requires that this machine has the memory that running several models at the same time needs.</summary>
    /// <inheritdoc cref="Require(Gpt2Model, int)"/>
    /// <param name="models">The models; one that is there twice has its weights in memory once.</param>
    /// <param name="texts">How many texts each reads together.</param>
    public static string? Require(IReadOnlyList<Gpt2Model> models, int texts = 1)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (models.Count == 1) return Require(models[0], texts);
        string names = string.Join(" and ", models.Select(model => model.Name));
        return RequireOf($"The models {names} need", NeedOf(models, texts), AvailableMemory.Bytes, AvailableMemory.TotalBytes);
    }

    internal static Gpt2MemoryNeed NeedOf(IReadOnlyList<Gpt2Model> models, int texts)
    {
        Gpt2MemoryNeed[] needs = [.. models.Select(model => Gpt2MemoryNeed.Of(model.Parameters, model.Precision, texts))];
        Gpt2MemoryNeed[] once = [.. needs.Where((_, i) => !models.Take(i).Contains(models[i]))];
        return new Gpt2MemoryNeed(once.Sum(need => need.Weights), needs.Sum(need => need.Cache), needs.Sum(need => need.Activations)) { Held = once.Sum(need => need.Held) };
    }

    internal static string? Require(string name, Gpt2MemoryNeed need, long free, long total) => RequireOf($"The model {name} needs", need, free, total);

    private static string? RequireOf(string subject, Gpt2MemoryNeed need, long free, long total)
    {
        string needs = $"{subject} {MemorySize.Of(need.Total)} of memory to run ({MemorySize.Of(need.Weights)} weights, "
            + $"{MemorySize.Of(need.Cache)} keys and values, {MemorySize.Of(need.Activations)} activations)";
        if (need.Total > total)
            throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"{needs}, but this machine has {MemorySize.Of(total)} in all; take a smaller model.");
        if (need.Total - need.Weights > free)
            throw new Gpt2Exception(Gpt2Error.InsufficientMemory, $"{needs}, but only {MemorySize.Of(free)} are free; free memory, or take a smaller model.");
        if (need.Total - need.Weights + need.Held > free)
        {
            throw new Gpt2Exception(
                Gpt2Error.InsufficientMemory,
                $"{needs}, but only {MemorySize.Of(free)} are free, and {MemorySize.Of(need.Held)} of the weights are not float32 in their file and must stay in memory; "
                    + "free memory, run it in a precision of fewer bits, or take a smaller model.");
        }

        return need.Total > free ? $"{needs}, but only {MemorySize.Of(free)} are free; it may be very slow." : null;
    }
}
