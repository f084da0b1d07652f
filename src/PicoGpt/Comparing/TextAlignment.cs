using System.Text;
using PicoGpt.Measuring;
using PicoGpt.Numerics;

namespace PicoGpt.Comparing;

/// <summary>Puts two measures of one text side by side, cut where both models begin a token.</summary>
internal sealed class TextAlignment
{
    private readonly Gpt2TextMeasure _reference;
    private readonly Gpt2TextMeasure _model;

    private TextAlignment(Gpt2TextMeasure reference, Gpt2TextMeasure model) => (_reference, _model) = (reference, model);

    public static Gpt2TextDifference Of(Gpt2TextMeasure reference, Gpt2TextMeasure model) => new TextAlignment(reference, model).Compare();

    private Gpt2TextDifference Compare()
    {
        int[] starts = [.. StartsOf(_reference).Intersect(StartsOf(_model)).Order()];
        (double? Bits, int Tokens)[] byReference = Sum(_reference, starts), byModel = Sum(_model, starts);
        int[] ends = [.. starts.Skip(1), _model.Text.Length];
        Gpt2TokenDifference[] tokens = [.. starts.Select((start, i) => PartOf(i, start, ends[i], byReference[i].Bits, byModel[i].Bits))];
        Gpt2TokenDifference[] measured = [.. tokens.Where(token => token.Difference is not null)];
        int bytes = measured.Sum(token => Encoding.UTF8.GetByteCount(token.Text));
        double referenceBits = measured.Sum(token => token.ReferenceSurprisal!.Value), bits = measured.Sum(token => token.Surprisal!.Value);
        return new Gpt2TextDifference
        {
            Reference = _reference.Model,
            Model = _model.Model,
            Path = _model.Path,
            Text = _model.Text,
            Tokens = tokens,
            TokenCount = measured.Length,
            ByteCount = bytes,
            ReferenceCrossEntropy = Nats(referenceBits, measured.Sum(token => byReference[token.Index].Tokens)),
            CrossEntropy = Nats(bits, measured.Sum(token => byModel[token.Index].Tokens)),
            ReferenceBitsPerByte = bytes == 0 ? null : referenceBits / bytes,
            BitsPerByte = bytes == 0 ? null : bits / bytes,
            StandardError = bytes == 0 ? null : ErrorOfSum([.. measured.Select(token => token.Difference!.Value)]) / bytes,
            ReferenceMeasure = _reference,
            Measure = _model,
        };
    }

    // A token in the middle of a character begins nowhere.
    private static IEnumerable<int> StartsOf(Gpt2TextMeasure measure) => measure.Tokens.Where(token => token.Length > 0).Select(token => token.Start);

    /// <summary>The surprisal of each part, unless a token of it was not measured, and its tokens.</summary>
    private static (double? Bits, int Tokens)[] Sum(Gpt2TextMeasure measure, int[] starts)
    {
        var parts = new (double? Bits, int Tokens)[starts.Length];
        int part = -1;
        foreach (Gpt2TokenMeasure token in measure.Tokens)
        {
            if (token.Length > 0 && part + 1 < starts.Length && starts[part + 1] == token.Start) parts[++part] = (0, 0);
            if (part >= 0) parts[part] = (parts[part].Bits + token.Surprisal, parts[part].Tokens + 1);
        }

        return parts;
    }

    private Gpt2TokenDifference PartOf(int index, int start, int end, double? referenceBits, double? bits) => new()
    {
        Index = index,
        Text = _model.Text[start..end],
        Start = start,
        Length = end - start,
        ReferenceSurprisal = referenceBits,
        Surprisal = bits,
    };

    private static double? Nats(double bits, int tokens) => tokens == 0 ? null : bits * PortableMath.Ln2 / tokens;

    // Of a sum of n numbers: √n times their standard deviation.
    private static double? ErrorOfSum(double[] values)
    {
        if (values.Length < 2) return null;
        double mean = values.Average();
        return Math.Sqrt(values.Length * values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
