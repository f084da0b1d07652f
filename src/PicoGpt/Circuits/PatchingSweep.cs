using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Numerics;
using PicoGpt.Pictures;

namespace PicoGpt.Circuits;

/// <summary>
/// Activation patching in turn: a corrupted text is run with one part of its pass after another replaced by that of a clean text, to see
/// which parts bring the clean answer back (K. Meng and others, "Locating and editing factual associations in GPT", 2022; K. Wang and
/// others, "Interpretability in the wild", 2022). For one thread at a time.
/// </summary>
public sealed class PatchingSweep
{
    private readonly Gpt2Model _model;
    private readonly Gpt2HyperParameters _h;
    private readonly PatchingOptions _options;
    private readonly AnswerScore _score;
    private readonly ReadText _clean;
    private readonly ReadText _corrupted;
    private readonly ActivationSite _site;

    /// <summary>Prepares a sweep; nothing is computed yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="clean">The text whose activations are patched in.</param>
    /// <param name="corrupted">The text that they are patched into, of as many tokens.</param>
    /// <param name="options">How to sweep.</param>
    /// <exception cref="Gpt2Exception">The texts are not of one length or too long, or an answer is not one token.</exception>
    public PatchingSweep(Gpt2Model model, string clean, string corrupted, PatchingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(clean);
        ArgumentNullException.ThrowIfNull(corrupted);
        ArgumentNullException.ThrowIfNull(options);
        (_model, _h, _options) = (model, model.HyperParameters, options);
        _score = new AnswerScore(model, options.Answer, options.Against);
        (_clean, _corrupted) = (new ReadText(model, clean, options.AllowSpecial), new ReadText(model, corrupted, options.AllowSpecial));
        _site = options.Site switch
        {
            "resid_pre" => ActivationSite.ResidualBefore,
            "attn" => ActivationSite.Attention,
            "mlp" => ActivationSite.Mlp,
            _ => throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"Positions are patched at resid_pre, attn or mlp, and not at '{VisibleText.Of(options.Site)}'."),
        };
        if (_clean.Ids.Length == _corrupted.Ids.Length) return;
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"The clean text has {_clean.Ids.Length} tokens and the corrupted one {_corrupted.Ids.Length}; give texts of as many tokens, "
                + "so that each position has one to be patched from.");
    }

    /// <summary>How many times the text is run.</summary>
    public int Runs => Enumerable.Range(0, _h.NLayer).Sum(layer => PatchesOf(layer).Count);

    /// <summary>Sweeps.</summary>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The share of the clean answer that each patch brings back: 0 for none, 1 for all of it.</returns>
    /// <exception cref="Gpt2Exception">The texts have the same score, or the checkpoint's data is not as its index says.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Gpt2Grid Run(CancellationToken cancellationToken = default)
    {
        using var forward = new Gpt2Forward(_model, _options.Threads, Kernels.Best);
        using KeyValueCache cache = forward.NewCache(_corrupted.Ids.Length), other = forward.NewCache(_clean.Ids.Length);
        var from = new PassRecord(_h, _clean.Ids.Length, ActivationSite.ResidualBefore, ActivationSite.Heads, ActivationSite.Attention, ActivationSite.Mlp);
        var record = new PassRecord(_h, _corrupted.Ids.Length, ActivationSite.ResidualBefore);
        double clean = Read(forward, other, _clean.Ids, from, cancellationToken), corrupted = Read(forward, cache, _corrupted.Ids, record, cancellationToken);
        LogitsCheck.RequireFinite(_model, [clean, corrupted]);
        if (clean == corrupted)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, FormattableString.Invariant($"Both texts have the same score, {clean:0.###}, for {_score.Name}; there is nothing to bring back."));
        }

        using var runs = new PatchedRuns(forward, record, cache, from, _score);
        List<double> effects = [];
        for (int layer = 0; layer < _h.NLayer; layer++)
        {
            effects.AddRange(runs.Score(layer, PatchesOf(layer), cancellationToken).Select(score => (score - corrupted) / (clean - corrupted)));
            _options.Progress?.Invoke((layer + 1.0) / _h.NLayer);
        }

        LogitsCheck.RequireFinite(_model, effects);
        return GridOf(effects, clean, corrupted);
    }

    private double Read(Gpt2Forward forward, KeyValueCache cache, int[] ids, PassRecord record, CancellationToken cancellationToken)
    {
        forward.Hook = record;
        using var context = new Gpt2Context(forward, cache);
        return _score.Of(context.Forward(ids, cancellationToken));
    }

    // The patches of a layer, in the order of the grid.
    private List<Patch> PatchesOf(int layer)
    {
        int n = _corrupted.Ids.Length, all = _h.NEmbd, size = _h.HeadSize;
        IEnumerable<int> heads = Enumerable.Range(0, _h.NHead), positions = Enumerable.Range(0, n);
        return _options.Kind switch
        {
            PatchingKind.Head => [.. heads.Select(head => new Patch(ActivationSite.Heads, layer, 0, n, head * size, size))],
            PatchingKind.HeadPosition =>
                [.. heads.SelectMany(head => positions.Select(t => new Patch(ActivationSite.Heads, layer, t, 1, head * size, size)))],
            PatchingKind.Part => [new Patch(ActivationSite.Attention, layer, 0, n, 0, all), new Patch(ActivationSite.Mlp, layer, 0, n, 0, all)],
            _ => [.. positions.Select(t => new Patch(_site, layer, t, 1, 0, all))],
        };
    }

    private Gpt2Grid GridOf(List<double> effects, double clean, double corrupted)
    {
        string[] layers = [.. Enumerable.Range(0, _h.NLayer).Select(layer => $"h{layer}")], heads = [.. Enumerable.Range(0, _h.NHead).Select(head => $"head {head}")];
        bool isByPosition = _options.Kind is PatchingKind.Position or PatchingKind.HeadPosition;
        string[] rows = _options.Kind == PatchingKind.HeadPosition ? [.. layers.SelectMany(layer => heads.Select(head => $"{layer} {head}"))] : layers;
        string[] columns = isByPosition ? _corrupted.Labels : _options.Kind == PatchingKind.Head ? heads : ["attn", "mlp"];
        string what = _options.Kind switch
        {
            PatchingKind.Head or PatchingKind.HeadPosition => "what a head reads",
            PatchingKind.Part => "what attention or the mlp adds",
            _ => $"{_options.Site}",
        };
        return new Gpt2Grid
        {
            Model = _model.Name,
            Title = $"Patching {what}, by {(_options.Kind == PatchingKind.HeadPosition ? "head" : "layer")} and {ColumnName()}",
            Description = $"The share of {_score.Name} that comes back when this part of the clean text stands in the corrupted one: 0 for none, 1 for all.",
            RowName = _options.Kind == PatchingKind.HeadPosition ? "head" : "layer",
            ColumnName = ColumnName(),
            RowLabels = rows,
            ColumnLabels = columns,
            Values = [.. effects.Chunk(columns.Length)],
            Others = [new("clean", clean), new("corrupted", corrupted)],
        };
    }

    private string ColumnName() => _options.Kind switch
    {
        PatchingKind.Head => "head",
        PatchingKind.Part => "part",
        _ => "position",
    };
}
