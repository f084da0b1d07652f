namespace PicoGpt.Training;

/// <summary>The folder of a training: checkpoints of which each is there whole or not at all, with their journals.</summary>
internal interface ITrainingFolder
{
    /// <summary>Writes a checkpoint.</summary>
    /// <exception cref="Gpt2Exception">It cannot be written; the one before it stays.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the one before it stays.</exception>
    void Save(Gpt2Model model, Trainer trainer, TrainingJournal journal, CancellationToken cancellationToken);

    /// <summary>The journal of the newest checkpoint.</summary>
    /// <exception cref="Gpt2Exception">There is none, or it is not a journal.</exception>
    TrainingJournal ReadJournal();

    /// <summary>Reads what of a checkpoint the model that was opened does not have: moments, and an adapter.</summary>
    /// <exception cref="Gpt2Exception">It is not there, or damaged.</exception>
    void Read(Gpt2Model model, Trainer trainer, int step);
}
