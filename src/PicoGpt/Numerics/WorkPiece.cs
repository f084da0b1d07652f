namespace PicoGpt.Numerics;

/// <summary>Elements of a share of work.</summary>
/// <param name="Owner">The thread whose share it is.</param>
/// <param name="From">The first.</param>
/// <param name="To">Behind the last.</param>
internal readonly record struct WorkPiece(int Owner, int From, int To);
