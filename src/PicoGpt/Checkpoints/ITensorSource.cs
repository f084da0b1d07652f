using PicoGpt.Architecture;
using PicoGpt.Tokens;

namespace PicoGpt.Checkpoints;

/// <summary>Named tensors in files of some format. They can be read until it is disposed, from several threads.</summary>
internal interface ITensorSource : IDisposable
{
    /// <summary>What messages call it: the full path of its file, or the prefix that its files' names begin with.</summary>
    string Location { get; }

    /// <summary>The full paths of the files that hold the tensors' elements.</summary>
    IReadOnlyList<string> DataFiles { get; }

    /// <summary>The full paths of further files without which the tensors are lost: an index.</summary>
    IReadOnlyList<string> OtherFiles => [];

    /// <summary>The tensors, their names all different.</summary>
    IReadOnlyList<StoredTensor> Tensors { get; }

    /// <summary>The shape of the model, where the files themselves tell it.</summary>
    Gpt2HyperParameters? HyperParameters => null;

    /// <summary>How a GPT-2's tensors are named, where the format settles it; otherwise the names show it.</summary>
    WeightNaming? Naming => null;

    /// <summary>Opens the vocabulary that the files carry; <see langword="null"/> where they carry none.</summary>
    Func<CancellationToken, Tokenizer>? Vocabulary => null;

    /// <summary>The folder that the files name for the vocabulary, if it does not lie beside them; the folder need not exist.</summary>
    string? VocabularyFolder => null;

    /// <summary>The ids with which the model's texts begin and end, where the files themselves tell them.</summary>
    SpecialIds? SpecialIds => null;

    /// <summary>Checks, without reading them, that the files exist and are long enough, where opening has not done so.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">A file is missing, truncated, or something else altogether.</exception>
    void EnsureComplete(CancellationToken cancellationToken = default)
    {
    }

    /// <summary>Throws where mapped memory must not be read any further; whoever has pinned it calls this now and then.</summary>
    /// <exception cref="Gpt2Exception"><see cref="Gpt2Error.FileChanged"/>: a file was changed, or is about to be.</exception>
    void ThrowIfChanged()
    {
    }
}
