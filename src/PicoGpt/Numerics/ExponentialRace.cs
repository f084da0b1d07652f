using System.Numerics;

namespace PicoGpt.Numerics;

/// <summary>
/// Draws one of many things by their probabilities, as the winner of a race: number i arrives at the time Eᵢ / pᵢ, with Eᵢ from the
/// exponential distribution of mean 1, and wins with a probability in proportion to pᵢ (also called the Gumbel-max trick: C. J. Maddison,
/// D. Tarlow, T. Minka, "A* sampling", 2014). Nothing is ordered or summed for it. A race is fixed by its number, for each runner by
/// itself, so probabilities that differ a little nearly always have the same winner: a draft draws what the exact model draws.
/// </summary>
internal static class ExponentialRace
{
    private const double Word = 1.0 / 4294967296; // 2⁻³²

    // A runner that is left out must arrive later for certain, whatever float32 rounds.
    private const double Margin = 1.001;

    private const double Small = 1e-3;

    /// <summary>The winner among all.</summary>
    /// <param name="p">The probabilities, or what is in proportion to them: [n].</param>
    /// <param name="race">The number of the race, random.</param>
    /// <returns>The index of the winner; −1 where no p is a number.</returns>
    public static int Winner(ReadOnlySpan<float> p, ulong race)
    {
        var best = new Arrival(-1, double.PositiveInfinity);
        int i = 0;
        for (; i <= p.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            // Nobody is faster than his word, for −ln(1 − w) ≥ w.
            var latest = new Vector<float>((float)Math.Min(best.Time * Margin / Word, float.MaxValue));
            Vector<uint> words = Words(Vector.Create((uint)i) + Vector<uint>.Indices, race);
            if (!Vector.LessThanOrEqualAny(Vector.ConvertToSingle(words), new Vector<float>(p[i..]) * latest)) continue;
            for (int lane = 0; lane < Vector<float>.Count; lane++) best = best.Or(i + lane, words[lane], p[i + lane]);
        }

        for (; i < p.Length; i++) best = best.Or(i, WordOf((uint)i, race), p[i]);
        return best.Runner;
    }

    /// <summary>The winner among some.</summary>
    /// <param name="p">The probabilities of those who run, or what is in proportion to them: [n].</param>
    /// <param name="runners">Who they are: [n].</param>
    /// <param name="race">The number of the race, random.</param>
    /// <returns>The one of <paramref name="runners"/> who wins; −1 where no p is a number.</returns>
    public static int Winner(ReadOnlySpan<float> p, ReadOnlySpan<int> runners, ulong race)
    {
        var best = new Arrival(-1, double.PositiveInfinity);
        for (int i = 0; i < runners.Length; i++) best = best.Or(runners[i], WordOf((uint)runners[i], race), p[i]);
        return best.Runner;
    }

    // Thirty-two random bits for a runner: two rounds of "lowbias32" (C. Wellons, "Prospecting for hash functions", 2018), one for each
    // half of the race's number.
    private static uint WordOf(uint runner, ulong race) => Mix(Mix(runner ^ (uint)race) ^ (uint)(race >> 32));

    private static Vector<uint> Words(Vector<uint> runners, ulong race) =>
        Mix(Mix(runners ^ Vector.Create((uint)race)) ^ Vector.Create((uint)(race >> 32)));

    private static uint Mix(uint x)
    {
        x = (x ^ (x >> 16)) * 0x7FEB352D;
        x = (x ^ (x >> 15)) * 0x846CA68B;
        return x ^ (x >> 16);
    }

    private static Vector<uint> Mix(Vector<uint> x)
    {
        x = (x ^ (x >>> 16)) * 0x7FEB352D;
        x = (x ^ (x >>> 15)) * 0x846CA68B;
        return x ^ (x >>> 16);
    }

    /// <summary>Who is ahead, and when he arrives.</summary>
    private readonly record struct Arrival(int Runner, double Time)
    {
        /// <summary>Of this and another the earlier; of equals this.</summary>
        public Arrival Or(int runner, uint word, float p)
        {
            double w = (word + 0.5) * Word; // uniform between 0 and 1
            if (!(w <= Time * p)) return this;
            double time = Exponential(w) / p;
            return time < Time ? new Arrival(runner, time) : this;
        }

        // −ln(1 − w); near 0 as its series, whose next term is beyond a double's precision by less than a millionth
        private static double Exponential(double w) =>
            w < Small ? w * (1 + (w * (0.5 + (w * ((1.0 / 3) + (w / 4)))))) : -PortableMath.Log(1 - w);
    }
}
