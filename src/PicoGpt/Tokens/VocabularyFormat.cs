namespace PicoGpt.Tokens;

/// <summary>A kind of vocabulary: how a folder is known to have it, and how it is opened.</summary>
internal abstract class VocabularyFormat
{
    /// <summary>The names of its files.</summary>
    public abstract IReadOnlyList<string> FileNames { get; }

    /// <summary>The full paths of its files in a folder; <see langword="null"/> where the folder has none of them.</summary>
    public virtual IReadOnlyList<string>? FindIn(string folder)
    {
        string[] paths = [.. FileNames.Select(name => Path.Combine(folder, name))];
        return paths.Any(File.Exists) ? paths : null;
    }

    /// <summary>Opens the vocabulary of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="rowCount">The ids that the model has rows for; 0 where no model is known.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Gpt2Exception">A file is missing or not as it should be.</exception>
    public abstract Tokenizer Open(string folder, int rowCount, CancellationToken cancellationToken);
}
