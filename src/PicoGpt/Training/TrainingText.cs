using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>
/// Tokens of documents one after another, read in windows of one length. In every epoch each window comes once, in an order and from an
/// offset that the seed and the epoch's number alone tell, so that any step's windows are known without the steps before it.
/// </summary>
internal sealed class TrainingText
{
    private readonly ReadOnlyMemory<int> _tokens;
    private readonly int _length;
    private readonly ulong _seed;
    private readonly Random64 _random;
    private readonly int[] _order;
    private long _epoch = -1;
    private int _offset;

    /// <param name="tokens">The tokens.</param>
    /// <param name="length">The tokens of a window.</param>
    /// <param name="seed">What the order depends on.</param>
    /// <param name="what">What sentences call it.</param>
    /// <exception cref="Gpt2Exception">There are too few tokens for a window.</exception>
    public TrainingText(ReadOnlyMemory<int> tokens, int length, ulong seed, string what = "The text")
    {
        (_tokens, _length, _random) = (tokens, length, new Random64(seed));
        _seed = _random.Next();
        Windows = (tokens.Length - 1) / length; // the last token of a window has a next one too
        if (Windows < 1)
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"{what} has {tokens.Length} tokens, too few for a window of {length} and the token after it; give more text, or take a shorter window.");
        }

        _order = new int[Windows];
    }

    /// <summary>Windows of an epoch.</summary>
    public int Windows { get; }

    /// <summary>Copies a window and the tokens that come after each of its own.</summary>
    /// <param name="index">The window's number, counted over all epochs.</param>
    /// <param name="ids">[length].</param>
    /// <param name="targets">[length].</param>
    public void Read(long index, Span<int> ids, Span<int> targets)
    {
        Begin(index / Windows);
        Copy(_offset + (_order[index % Windows] * _length), ids, targets);
    }

    /// <summary>Copies a window of the text as it stands.</summary>
    /// <inheritdoc cref="Read"/>
    public void ReadInOrder(int index, Span<int> ids, Span<int> targets) => Copy(index * _length, ids, targets);

    private void Copy(int start, Span<int> ids, Span<int> targets)
    {
        _tokens.Span.Slice(start, _length).CopyTo(ids);
        _tokens.Span.Slice(start + 1, _length).CopyTo(targets);
    }

    private void Begin(long epoch)
    {
        if (epoch == _epoch) return;
        _random.Restart(_seed + (ulong)epoch);
        _offset = (int)(_random.NextDouble() * (_tokens.Length - (Windows * _length)));
        for (int i = 0; i < _order.Length; i++) _order[i] = i;
        for (int i = _order.Length - 1; i > 0; i--)
        {
            int other = (int)(_random.NextDouble() * (i + 1)); // Fisher and Yates
            (_order[i], _order[other]) = (_order[other], _order[i]);
        }

        _epoch = epoch;
    }
}
