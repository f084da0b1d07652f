using PicoGpt.Inference;
using Xunit;

namespace PicoGpt.Tests.Inference;

public sealed class SessionTests : IDisposable
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 6 };

    private readonly Gpt2Model _model = BuiltInModel.Open();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Each_turn_of_the_model_is_what_it_makes_of_the_whole_text()
    {
        using var session = new Gpt2Session(_model, Short);
        session.Write("Once upon a time");
        string first = string.Concat(session.Continue(Cancellation));
        Assert.Equal(TextGeneration.Run(_model, "Once upon a time", Short, Cancellation).Text, first);
        session.Write(" and the king said");
        string text = session.Text;
        string second = string.Concat(session.Continue(Cancellation));
        Assert.Equal(TextGeneration.Run(_model, text, Short, Cancellation).Text, second);
        Assert.Equal(["Once upon a time", first, " and the king said", second], session.Turns.Select(turn => turn.Text));
        Assert.Equal([false, true, false, true], session.Turns.Select(turn => turn.IsByModel));
        Assert.Equal("Once upon a time" + first + " and the king said" + second, session.Text);
        Assert.Equal(text, session.Turns[3].Completion!.Prompt);
    }

    [Fact]
    public void A_turn_that_is_taken_back_is_written_again_as_it_was()
    {
        using var session = new Gpt2Session(_model, Short);
        Assert.Null(session.TakeBack());
        session.Write("");
        Assert.Empty(session.Turns);
        session.Write("The queen");
        string written = string.Concat(session.Continue(Cancellation));
        Assert.Equal(written, session.TakeBack()!.Text);
        Assert.Equal("The queen", session.Text);
        Assert.Equal(written, string.Concat(session.Continue(Cancellation)));
        session.TakeBack();
        Assert.Equal("The queen", session.TakeBack()!.Text);
        Assert.Equal("", session.Text);
    }

    [Fact]
    public void What_there_is_of_a_turn_that_is_left_or_cancelled_is_kept()
    {
        using var session = new Gpt2Session(_model, new GenerationOptions { MaxTokens = 30 });
        session.Write("The king");
        foreach (string piece in session.Continue(Cancellation))
        {
            if (piece.Length > 0) break;
        }

        Assert.Equal(FinishReason.Cancelled, session.Turns[^1].Completion!.FinishReason);
        Assert.InRange(session.Turns[^1].Completion!.Ids.Count, 1, 29);
        Assert.StartsWith(session.Text, "The king" + TextGeneration.Run(_model, "The king", new GenerationOptions { MaxTokens = 30 }, Cancellation).Text, StringComparison.Ordinal);
        int turns = session.Turns.Count;
        Assert.Throws<OperationCanceledException>(() => string.Concat(session.Continue(new CancellationToken(canceled: true))));
        Assert.Equal(turns, session.Turns.Count); // of nothing there is no turn
        Assert.Equal(30, Finished(session).Ids.Count);
    }

    [Fact]
    public void Options_hold_from_where_they_are_set()
    {
        using var session = new Gpt2Session(_model, Short);
        session.Write("Once");
        Assert.Equal(6, Finished(session).Ids.Count);
        session.Options = session.Options with { MaxTokens = 2 };
        Assert.Equal(2, Finished(session).Ids.Count);
        foreach (GenerationOptions several in (GenerationOptions[])[new() { Count = 2, Temperature = 1 }, new() { Beams = 2 }, new() { TopP = 0 }])
        {
            Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => session.Options = several).Error);
            Assert.Equal(Gpt2Error.InvalidArgument, Assert.Throws<Gpt2Exception>(() => new Gpt2Session(_model, several)).Error);
        }

        Assert.Equal(2, session.Options.MaxTokens);
    }

    [Theory]
    [InlineData(254, 254)]
    [InlineData(255, 255)]
    [InlineData(256, 128)]
    [InlineData(300, 128)]
    public void Of_a_text_that_fills_the_context_the_model_sees_the_last_half_where_it_slides(int tokens, int seen)
    {
        string text = string.Concat(Enumerable.Repeat(" a", tokens));
        Assert.Equal(tokens, _model.Encoder.Encode(text).Length);
        using var session = new Gpt2Session(_model, new GenerationOptions { MaxTokens = 3, Overflow = ContextOverflow.Slide });
        session.Write(text);
        Gpt2Completion completion = Finished(session);
        Assert.Equal(seen, completion.PromptIds.Count);
        Assert.Equal(3, completion.Ids.Count);
    }

    [Fact]
    public void A_text_that_passes_the_context_is_refused_where_it_stops()
    {
        using var session = new Gpt2Session(_model, Short);
        session.Write(string.Concat(Enumerable.Repeat(" a", 257)));
        Assert.Equal(Gpt2Error.ContextExceeded, Assert.Throws<Gpt2Exception>(() => Finished(session)).Error);
        Assert.Single(session.Turns);
    }

    private static Gpt2Completion Finished(Gpt2Session session)
    {
        _ = string.Concat(session.Continue(Cancellation));
        return session.Turns[^1].Completion!;
    }
}
