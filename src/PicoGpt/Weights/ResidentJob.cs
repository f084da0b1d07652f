using PicoGpt.Machine;
using PicoGpt.Numerics;

namespace PicoGpt.Weights;

/// <summary>Copies some bands, divided by turns, since those of one matrix are alike.</summary>
/// <param name="bands">The bands.</param>
/// <param name="memory">Where to; the caller keeps it.</param>
internal sealed class ResidentJob(List<ResidentBand> bands, LargePages memory) : Job
{
    public override unsafe void Execute(int part, int parts)
    {
        for (int band = part; band < bands.Count; band += parts) bands[band].Copy(memory.Data);
    }
}
