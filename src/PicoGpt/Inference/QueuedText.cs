namespace PicoGpt.Inference;

/// <summary>
/// A text that a <see cref="TextDriver{T}"/> reads: what of it is to be read next, and what becomes of what the model says of it.
/// A fault that it throws ends this text and no other.
/// </summary>
internal abstract class QueuedText
{
    /// <summary>The keys and values of its context; only while it is under way.</summary>
    public KeyValueCache? Cache { get; set; }

    /// <summary>What ended it before its time, if anything.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Whether nothing of it is to be read any more.</summary>
    public bool IsFinished => Fault is not null || IsDone;

    /// <summary>As how many texts it counts; 0 for one that comes with the text before it, which counts for both.</summary>
    public virtual int Width => 1;

    /// <summary>How many rows of a batch it gets in any case; what is left of them goes to the first texts.</summary>
    public abstract int MinRows { get; }

    /// <summary>The ids from its beginning on whose keys and values it may take over from another text; empty where it must read itself.</summary>
    public abstract ReadOnlySpan<int> Beginning { get; }

    /// <summary>Of the ids that <see cref="Next"/> gave, the first after which logits are wanted.</summary>
    public int FirstScored { get; protected set; }

    /// <summary>Whether the logits of this step's further rows are of use.</summary>
    public virtual bool WantsLogits => true;

    /// <summary>Whether it came to its own end.</summary>
    protected abstract bool IsDone { get; }

    /// <summary>The ids to read next.</summary>
    /// <param name="max">The most of them.</param>
    /// <returns>The ids; none where there is nothing to read, or where this ended the text.</returns>
    public abstract ReadOnlySpan<int> Next(int max);

    /// <summary>They are read; their logits are still to be computed.</summary>
    public virtual void HasRead()
    {
    }

    /// <summary>Ends a step: all logits that were wanted have been given.</summary>
    /// <param name="elapsed">The time that the step took, for all texts together.</param>
    public abstract void Settle(TimeSpan elapsed);

    /// <summary>The most tokens that it may still make, one per step; 0 for a text that nothing guesses for.</summary>
    public virtual int TokensToCome => 0;

    /// <summary>Tokens that are guessed to come next, and are read together with the last one.</summary>
    public int Guessed { get; protected set; }

    /// <summary>Tokens of them that proved right, from the first on.</summary>
    public int Right { get; protected set; }

    /// <summary>Whether more may be guessed after what is guessed already.</summary>
    public virtual bool MayGuess => false;

    /// <summary>The last id of the text and what is guessed of it.</summary>
    public virtual int Last => throw new NotSupportedException();

    /// <summary>Begins to guess what comes next, before <see cref="Next"/>.</summary>
    /// <param name="terms">What it needs to know for it.</param>
    /// <returns>How many the model's reduced form is to guess: none where the text has guessed itself, or has nothing to guess.</returns>
    public int BeginGuess(in GuessTerms terms)
    {
        try
        {
            return IsFinished ? 0 : GuessItself(terms);
        }
        catch (Exception fault)
        {
            Fail(fault);
            return 0;
        }
    }

    /// <summary>Takes what the model's reduced form says after <see cref="Last"/>: [n_vocab].</summary>
    public virtual void TakeGuess(ReadOnlySpan<float> logits)
    {
    }

    /// <summary>Ends the text by a fault.</summary>
    public virtual void Fail(Exception fault) => Fault ??= fault;

    /// <inheritdoc cref="BeginGuess"/>
    protected virtual int GuessItself(in GuessTerms terms) => 0;
}
