using PicoGpt.Files;

namespace PicoGpt.Checkpoints;

/// <summary>
/// Writes tensors into files of some format, one after another, under temporary names; unless <see cref="Files"/> get theirs, nothing remains.
/// Faults of the disk are those of <see cref="FileStream"/>.
/// </summary>
internal interface ITensorWriter : IDisposable
{
    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Its name, unlike that of any other.</param>
    /// <param name="dtype">Its element type.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="data">Its bytes: little-endian, row-major.</param>
    void Add(string name, TensorDType dtype, TensorShape shape, ReadOnlySpan<byte> data);

    /// <summary>Completes and closes the files: they lack only their names then, and the disk had room for them.</summary>
    void Complete();

    /// <summary>The files, in the order in which they are to get their names; see <see cref="Publication"/>.</summary>
    IReadOnlyList<OutputFile> Files { get; }
}
