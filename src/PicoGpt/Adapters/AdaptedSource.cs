using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Tokens;

namespace PicoGpt.Adapters;

/// <summary>The tensors of a model with an adapter: those of its own source, but for the projections. Closing it closes nothing.</summary>
/// <param name="adapter">The adapter.</param>
/// <param name="original">The source of the model.</param>
/// <param name="tensors">The tensors by OpenAI's names.</param>
internal sealed class AdaptedSource(AdapterFile adapter, ITensorSource original, IReadOnlyList<StoredTensor> tensors) : ITensorSource
{
    public string Location => adapter.Path;

    public IReadOnlyList<string> DataFiles => [adapter.Path, .. original.DataFiles];

    public IReadOnlyList<string> OtherFiles => original.OtherFiles;

    public IReadOnlyList<StoredTensor> Tensors => tensors;

    public WeightNaming? Naming => WeightNaming.TensorFlow;

    public Func<CancellationToken, Tokenizer>? Vocabulary => original.Vocabulary;

    public void ThrowIfChanged() => original.ThrowIfChanged();

    public void Dispose()
    {
        // The source belongs to the model.
    }
}
