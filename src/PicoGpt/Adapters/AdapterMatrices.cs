namespace PicoGpt.Adapters;

/// <summary>The matrices of an adapter of one projection, as they were read.</summary>
/// <param name="A">[rank, in], row-major.</param>
/// <param name="B">[rank, out], row-major: PEFT's is the other way round.</param>
internal sealed record AdapterMatrices(float[] A, float[] B);
