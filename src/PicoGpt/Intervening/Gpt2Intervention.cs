using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using PicoGpt.Inference;

namespace PicoGpt.Intervening;

/// <summary>
/// A change of what passes through a model: at some sites, of some layers, heads, positions and neurons. Several are made in their order;
/// what one leaves is what the next one finds. It knows no model: which sites there are is asked when it is used.
/// </summary>
/// <remarks>
/// Zero and mean ablation, activation patching and steering are as the field has them: K. Meng and others, "Locating and editing factual
/// associations in GPT", 2022; K. Wang and others, "Interpretability in the wild", 2022; A. M. Turner and others, "Activation addition", 2023.
/// </remarks>
[SuppressMessage("Performance", "CA1814", Justification = "A row for each position is a matrix; scripts make it as one.")]
public sealed class Gpt2Intervention : ForwardChange
{
    /// <param name="kind">What is done.</param>
    /// <param name="sites">The sites' names, see <see cref="Gpt2Activations.Sites"/>; <c>*</c>, <c>?</c> and <c>[a-z]</c> stand for characters.</param>
    /// <exception cref="Gpt2Exception">There is no site.</exception>
    public Gpt2Intervention(InterventionKind kind, params IReadOnlyList<string> sites)
    {
        ArgumentNullException.ThrowIfNull(sites);
        if (sites.Count == 0) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "An intervention needs a site, such as 'h*/attn'.");
        (Kind, Sites) = (kind, sites.ToArray());
    }

    /// <summary>What is done.</summary>
    public InterventionKind Kind { get; }

    /// <summary>The names of the sites, which may have wildcards.</summary>
    public IReadOnlyList<string> Sites { get; }

    /// <summary>The layers, from 0; all where it is empty.</summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>The heads, from 0, at sites that have them; all where it is empty.</summary>
    public IReadOnlyList<int> Heads { get; init; } = [];

    /// <summary>The positions, from 0 at the beginning of the context; all where it is empty.</summary>
    public IReadOnlyList<int> Positions { get; init; } = [];

    /// <summary>
    /// The values of a position, from 0: within each head where <see cref="Heads"/> are chosen, and of a pattern the positions that are
    /// looked at; all where it is empty.
    /// </summary>
    public IReadOnlyList<int> Neurons { get; init; } = [];

    /// <summary>
    /// The values of <see cref="InterventionKind.Value"/> and <see cref="InterventionKind.Add"/>: <c>[rows, columns]</c>, with one row for
    /// all positions or one for each of <see cref="Positions"/>, and one column for all values or one for each that is chosen.
    /// </summary>
    public float[,]? Values { get; init; }

    /// <summary>What is multiplied by, in <see cref="InterventionKind.Scale"/> the values, in <see cref="InterventionKind.Add"/> what is added.</summary>
    public float Factor { get; init; } = 1;

    /// <summary>The texts whose activations are taken: one to patch from, one or more for their mean.</summary>
    public IReadOnlyList<IRecordedPass> From { get; init; } = [];

    /// <summary>One row of values, for all positions.</summary>
    /// <param name="values">The values.</param>
    /// <returns><c>[1, n]</c>.</returns>
    public static float[,] Row(IReadOnlyList<float> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        float[,] row = new float[1, values.Count];
        for (int i = 0; i < values.Count; i++) row[0, i] = values[i];
        return row;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string what = Kind switch
        {
            InterventionKind.Scale => string.Create(CultureInfo.InvariantCulture, $"Scale by {Factor}"),
            InterventionKind.Add when Factor != 1 => string.Create(CultureInfo.InvariantCulture, $"Add {Factor} times"),
            _ => Kind.ToString(),
        };
        string[] where =
            [Chosen("layer", Layers), Chosen("head", Heads), Chosen("position", Positions), Chosen("neuron", Neurons)];
        return string.Join(", ", where.Where(part => part.Length > 0).Prepend($"{what} {string.Join(", ", Sites)}"));
    }

    /// <inheritdoc/>
    internal override IForwardHook HookFor(Gpt2Model model, int positions) => new InterventionResolver(this, model, positions).Resolve();

    /// <inheritdoc/>
    internal override void CheckReach(int positions)
    {
        if (Positions.Count == 0 || Positions.Max() < positions) return;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"Position {Positions.Max()} is to be changed, but the text has positions 0 to {positions - 1} only.");
    }

    private static string Chosen(string word, IReadOnlyList<int> numbers) =>
        numbers.Count == 0 ? "" : $"{word} {string.Join(' ', numbers)}";
}
