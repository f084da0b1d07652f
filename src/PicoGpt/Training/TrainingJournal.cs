using System.Text.Json;
using PicoGpt.Files;

namespace PicoGpt.Training;

/// <summary>What a checkpoint of a training needs beside weights and moments to continue as if it had not ended.</summary>
/// <param name="Step">The steps that are done; the place in the text follows from it and the seed.</param>
/// <param name="Options">How the model is trained.</param>
/// <param name="Frozen">The names of the weights that stay as they are.</param>
/// <param name="Text">SHA-256 of the text's tokens, and of those to validate with where they are given apart.</param>
/// <param name="Losses">The loss of every step, in nats.</param>
/// <param name="Validations">The losses of the text that is held out, as far as they were measured.</param>
/// <param name="Samples">What the model wrote on the way.</param>
internal sealed record TrainingJournal(
    int Step, TrainingOptions Options, string[] Frozen, string Text, double[] Losses, ValidationLoss[] Validations, TrainingSample[] Samples)
{
    private const int MaxLength = 1 << 27;

    /// <summary>Reads a journal.</summary>
    /// <exception cref="Gpt2Exception">It is not there, or not a journal.</exception>
    public static TrainingJournal Load(string path)
    {
        byte[] json = SmallFile.Read(path, MaxLength);
        try
        {
            TrainingJournal? journal = JsonSerializer.Deserialize(json, TrainingJournalJson.Default.TrainingJournal);
            // How many threads there were is the other machine's affair, and a number in a file starts none.
            if (journal is { Step: >= 0, Options: not null, Frozen: not null, Losses: not null, Validations: not null, Samples: not null }
                && Array.TrueForAll(journal.Validations, validation => validation is not null) && Array.TrueForAll(journal.Samples, sample => sample?.Text is not null))
            {
                return journal with { Options = journal.Options with { Threads = 0 } };
            }
        }
        catch (Exception fault) when (JsonFile.IsFault(fault))
        {
            throw NoJournal(path, fault);
        }

        throw NoJournal(path, null);
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="Gpt2Exception">It cannot be written.</exception>
    public void Save(string path) => OutputFile.Save(path, Write);

    /// <summary>Writes it to a file that has its name later.</summary>
    public void Write(Stream stream) => JsonSerializer.Serialize(stream, this, TrainingJournalJson.Default.TrainingJournal);

    private static Gpt2Exception NoJournal(string path, Exception? fault) =>
        new(Gpt2Error.NotAFormat, $"'{path}' is not the journal of a training, without which it cannot be resumed.", path, fault);
}
