using PicoGpt.Inference;
using PicoGpt.Numerics;

namespace PicoGpt.Training;

/// <summary>What the embeddings have in the gradient: every row adds to its token's and its position's, divided by columns.</summary>
/// <param name="kernels">The loops.</param>
internal sealed unsafe class EmbeddingGradientJob(Kernels kernels) : Job
{
    public IReadOnlyList<TextRows> Texts { get; set; } = [];

    /// <summary>The tokens: [n_rows].</summary>
    public ReadOnlyMemory<int> Ids { get; set; }

    public Matrix Dx { get; set; }

    /// <summary>The tokens'; of no rows where it is not wanted.</summary>
    public Matrix Dwte { get; set; }

    /// <summary>The positions'; of no rows where it is not wanted.</summary>
    public Matrix Dwpe { get; set; }

    public override void Execute(int part, int parts)
    {
        (int from, int to) = Share(Dx.Columns, part, parts, Kernels.Lanes);
        ReadOnlySpan<int> ids = Ids.Span;
        for (int text = 0; text < Texts.Count; text++)
        {
            for (int t = 0; t < Texts[text].Rows; t++)
            {
                int row = Texts[text].Row + t;
                if (Dwte.Rows > 0) kernels.Add(Dwte.RowPointer(ids[row]) + from, Dx.RowPointer(row) + from, to - from);
                if (Dwpe.Rows > 0) kernels.Add(Dwpe.RowPointer(t) + from, Dx.RowPointer(row) + from, to - from);
            }
        }
    }
}
