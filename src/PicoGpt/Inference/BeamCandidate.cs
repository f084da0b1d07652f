namespace PicoGpt.Inference;

/// <summary>A token with which a beam may continue.</summary>
/// <param name="Beam">The beam.</param>
/// <param name="Id">The token.</param>
/// <param name="Sum">The log-probabilities of the text with it, all together.</param>
/// <param name="Token">What the model said of it, where that is asked for.</param>
internal sealed record BeamCandidate(Beam Beam, int Id, double Sum, GeneratedToken? Token) : IComparable<BeamCandidate>
{
    /// <summary>The best first; of equals the one of the better beam, and then the lower id.</summary>
    public int CompareTo(BeamCandidate? other)
    {
        if (other is null) return -1;
        int order = other.Sum.CompareTo(Sum);
        if (order == 0) order = Beam.Index.CompareTo(other.Beam.Index);
        return order == 0 ? Id.CompareTo(other.Id) : order;
    }
}
