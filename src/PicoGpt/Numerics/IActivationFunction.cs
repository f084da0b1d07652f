namespace PicoGpt.Numerics;

/// <summary>A function of one hidden value, one at a time and in the lanes of a vector, with the same bits.</summary>
internal interface IActivationFunction
{
    static abstract float Of(float x);

    static abstract TVector Of<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;

    /// <summary>The derivative at x.</summary>
    static abstract float Slope(float x);

    /// <summary>The derivative in the lanes of a vector.</summary>
    static abstract TVector Slope<TWidth, TVector>(TVector x)
        where TWidth : struct, IWidth<TVector>
        where TVector : struct;
}
