using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using PicoGpt.Architecture;
using PicoGpt.Inference;
using static PicoGpt.Foundation.Argument;

namespace PicoGpt.Intervening;

/// <summary>Finds what an intervention means in a model, or says in a sentence why it means nothing there.</summary>
[SuppressMessage("Performance", "CA1814", Justification = "Rows of one width are a matrix.")]
internal sealed class InterventionResolver(Gpt2Intervention intervention, Gpt2Model model, int positions)
{
    private readonly Gpt2HyperParameters _h = model.HyperParameters;

    /// <exception cref="Gpt2Exception">There is no such site, layer, head, position or neuron, or the values do not fit.</exception>
    public InterventionHook Resolve()
    {
        Check(intervention.Layers, _h.NLayer, "layer", model.Name);
        Check(intervention.Heads, _h.NHead, "head", $"a layer of {model.Name}");
        Check(intervention.Positions, positions, "position", positions == _h.NCtx ? $"the context of {model.Name}" : "the text");
        Require(float.IsFinite(intervention.Factor), $"The factor is {intervention.Factor}; give a number.");
        IReadOnlyList<int> heads = intervention.Heads.Count > 0 ? intervention.Heads : [.. Enumerable.Range(0, _h.NHead)];
        return new InterventionHook(
            Places().ToDictionary(place => (place.Site, place.Layer), ChangeAt), intervention.Positions.ToHashSet(), heads.ToHashSet());
    }

    private IReadOnlyList<ActivationPlace> Places()
    {
        IReadOnlyList<ActivationPlace> all = Gpt2Activations.Places(_h);
        HashSet<ActivationPlace> chosen = [];
        foreach (string site in intervention.Sites)
        {
            Regex pattern = SitePattern.Of(site);
            List<ActivationPlace> named = [.. all.Where(place => pattern.IsMatch(place.Name))];
            Require(named.Count > 0, $"{model.Name} has no site '{site}'; there are {Gpt2Activations.Describe(_h)}.");
            chosen.UnionWith(named.Where(place => intervention.Layers.Count == 0 || intervention.Layers.Contains(place.Layer)));
        }

        Require(chosen.Count > 0, $"None of the sites {Quoted(intervention.Sites)} is in the layers {string.Join(", ", intervention.Layers)}.");
        return [.. all.Where(chosen.Contains)];
    }

    private SiteChange ChangeAt(ActivationPlace place)
    {
        int[]? columns = Columns(place);
        GivenValues?[] given = intervention.Kind switch
        {
            InterventionKind.Value or InterventionKind.Add => Repeated(place, Written(place, columns)),
            InterventionKind.Patch => Recorded(place, OnlySource()),
            InterventionKind.Mean => Means(place),
            _ => [],
        };
        return new SiteChange(intervention.Kind, columns, intervention.Factor, given);
    }

    // The values of a row that are meant, in their order; null for all.
    private int[]? Columns(ActivationPlace place)
    {
        bool hasHeads = Gpt2Activations.HasHeads(place.Site), isPattern = place.Site == ActivationSite.Pattern;
        IReadOnlyList<int> heads = intervention.Heads, neurons = intervention.Neurons;
        Require(
            heads.Count == 0 || hasHeads,
            $"{place.Name} has no heads; those are chosen at attn/q, attn/k, attn/v, attn/pattern and attn/z.");
        bool isInHead = heads.Count > 0 && !isPattern;
        int width = isPattern ? positions : isInHead ? _h.HeadSize : Gpt2Activations.WidthOf(place.Site, _h);
        Check(neurons, width, isPattern ? "position to look at" : "neuron", isInHead ? $"a head of {place.Name}" : place.Name);
        if (!isInHead) return neurons.Count == 0 ? null : [.. neurons];
        IEnumerable<int> ofHead = neurons.Count == 0 ? Enumerable.Range(0, width) : neurons;
        return [.. heads.SelectMany(head => ofHead.Select(neuron => (head * width) + neuron))];
    }

    // What was written down, spread to the columns that are meant: [rows, width].
    private GivenValues Written(ActivationPlace place, int[]? columns)
    {
        float[,] values = intervention.Values ?? throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"There are no values to put at {place.Name}.");
        int width = Gpt2Activations.WidthOf(place.Site, _h), rows = values.GetLength(0), given = values.GetLength(1), places = intervention.Positions.Count;
        int wanted = columns?.Length ?? width;
        bool isPattern = place.Site == ActivationSite.Pattern && columns is null;
        Require(
            given == 1 || (given == wanted && !isPattern),
            isPattern
                ? (FormattableString)$"{given} values are given for {place.Name}, whose rows have no one length; give one value, or choose positions to look at by neurons."
                : $"{given} values are given for {place.Name}, where {wanted} are chosen; give one, or {wanted}.");
        Require(
            rows == 1 || rows == places,
            $"{rows} rows of values are given for {places} chosen positions of {place.Name}; give one row, or one for each position that is chosen.");
        float[,] spread = new float[rows, width];
        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < wanted; i++) spread[row, columns?[i] ?? i] = values[row, given == 1 ? 0 : i];
        }

        return rows == 1 ? GivenValues.Same(spread) : GivenValues.Each(spread, intervention.Positions);
    }

    private GivenValues?[] Recorded(ActivationPlace place, IRecordedPass from)
    {
        float[,]?[] kept = Kept(place, from);
        int has = kept.First(rows => rows is not null)!.GetLength(0);
        foreach (int position in intervention.Positions)
            Require(position < has, $"The trace that {place.Name} is patched from has {has} positions, 0 to {has - 1}; there is no position {position}.");
        return [.. kept.Select(rows => rows is null ? null : GivenValues.FromFirst(rows))];
    }

    private GivenValues?[] Means(ActivationPlace place)
    {
        Require(intervention.From.Count > 0, $"There is no text to take the mean of {place.Name} over; give traces.");
        float[,]?[][] texts = [.. intervention.From.Select(from => Kept(place, from))];
        bool isPattern = place.Site == ActivationSite.Pattern;
        return
        [
            .. Enumerable.Range(0, texts[0].Length).Select(head =>
            {
                if (texts[0][head] is null) return null;
                float[][,] all = [.. texts.Select(text => text[head]!)];
                return isPattern ? GivenValues.FromFirst(Average.OfRows(all)) : GivenValues.Same(Average.OfAllRows(all));
            }),
        ];
    }

    // What a trace has of a site: a matrix, of a pattern one for each head; those of heads that are not meant are null.
    private float[,]?[] Kept(ActivationPlace place, IRecordedPass from)
    {
        if (place.Site == ActivationSite.Pattern) return KeptPatterns(place, from);
        if (!from.Activations.TryGetValue(place.Name, out float[,]? kept))
        {
            string has = from.Activations.Count == 0 ? "no activation" : $"only {string.Join(", ", from.Activations.Keys.Order(StringComparer.Ordinal))}";
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"The trace of '{Shown(from)}' has {has}, and {place.Name} is wanted; trace the text again and keep that activation.");
        }

        int width = Gpt2Activations.WidthOf(place.Site, _h);
        Require(
            kept.GetLength(1) == width,
            $"The trace of '{Shown(from)}' has {kept.GetLength(1)} values a position at {place.Name}, where {model.Name} has {width}; it is of another model.");
        return [kept];
    }

    private float[,]?[] KeptPatterns(ActivationPlace place, IRecordedPass from)
    {
        IReadOnlyList<float[,]?>? heads = place.Layer < from.Attention?.Count ? from.Attention[place.Layer] : null;
        float[,]?[] kept = new float[_h.NHead][,];
        foreach (int head in intervention.Heads.Count > 0 ? intervention.Heads : [.. Enumerable.Range(0, _h.NHead)])
        {
            kept[head] = (head < heads?.Count ? heads[head] : null) ?? throw new Gpt2Exception(
                Gpt2Error.InvalidArgument,
                $"The trace of '{Shown(from)}' has no pattern of layer {place.Layer}, head {head}; trace the text again and keep the attention of all layers and heads.");
        }

        return kept;
    }

    private IRecordedPass OnlySource() => intervention.From is [IRecordedPass from] ? from : throw new Gpt2Exception(
        Gpt2Error.InvalidArgument, $"A patch is from one text, and {intervention.From.Count} traces are given; a mean is of several.");

    private GivenValues?[] Repeated(ActivationPlace place, GivenValues values) =>
        [.. Enumerable.Repeat(values, place.Site == ActivationSite.Pattern ? _h.NHead : 1)];

    private static string Shown(IRecordedPass from)
    {
        const int Longest = 40;
        string text = VisibleText.Of(from.Text);
        return text.Length <= Longest ? text : $"{text[..Longest]}…";
    }

    private static string Quoted(IEnumerable<string> sites) => string.Join(", ", sites.Select(site => $"'{site}'"));

    private static void Check(IReadOnlyList<int> numbers, int count, string what, string where)
    {
        foreach (int number in numbers)
            Require((uint)number < (uint)count, $"There is no {what} {number} in {where}, which has {count}; give numbers from 0 to {count - 1}.");
    }
}
