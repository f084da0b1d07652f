namespace PicoGpt.Training;

/// <summary>The folder of a training: checkpoints of which each is there whole or not at all, with their journals.</summary>
internal interface ITrainingFolder
{
    /// <summary>Writes a checkpoint, and deletes those that are not to be kept: all but the last two and the best.</summary>
    /// <param name="model">The model.</param>
    /// <param name="trainer">What trains it.</param>
    /// <param name="journal">What else there is to keep.</param>
    /// <param name="best">The step of a checkpoint that stays besides; 0 for none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="Gpt2Exception">It cannot be written; the one before it stays.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the one before it stays.</exception>
    void Save(Gpt2Model model, Trainer trainer, TrainingJournal journal, int best, CancellationToken cancellationToken);

    /// <summary>Whether a step has a checkpoint.</summary>
    bool Has(int step);

    /// <summary>Makes an earlier checkpoint the folder's; those after it are deleted.</summary>
    /// <exception cref="Gpt2Exception">The folder cannot be written to.</exception>
    void ReturnTo(Gpt2Model model, Trainer trainer, int step);

    /// <summary>The journal of the newest checkpoint.</summary>
    /// <exception cref="Gpt2Exception">There is none, or it is not a journal.</exception>
    TrainingJournal ReadJournal();

    /// <summary>Reads what of a checkpoint the model that was opened does not have: moments, and an adapter.</summary>
    /// <exception cref="Gpt2Exception">It is not there, or damaged.</exception>
    void Read(Gpt2Model model, Trainer trainer, int step);
}
