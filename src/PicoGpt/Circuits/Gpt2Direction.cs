using System.Runtime.InteropServices;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.Numpy;
using PicoGpt.Files;
using PicoGpt.Inference;

namespace PicoGpt.Circuits;

/// <summary>A vector of what passes at a site of a model, such as the difference between two kinds of texts (a steering vector).</summary>
public sealed class Gpt2Direction
{
    private readonly float[] _values;

    /// <param name="site">The name of the site, such as <c>h3/resid_pre</c>.</param>
    /// <param name="values">The vector, one number for each value of a position.</param>
    public Gpt2Direction(string site, IReadOnlyList<float> values)
    {
        ArgumentException.ThrowIfNullOrEmpty(site);
        ArgumentNullException.ThrowIfNull(values);
        (Site, _values) = (site, [.. values]);
    }

    /// <summary>The name of the site.</summary>
    public string Site { get; }

    /// <summary>The vector.</summary>
    public IReadOnlyList<float> Values => _values;

    /// <summary>How many values it has.</summary>
    public int Count => _values.Length;

    /// <summary>Its Euclidean length.</summary>
    public double Norm => Math.Sqrt(_values.Sum(value => (double)value * value));

    /// <summary>The mean of some texts at a site less that of others.</summary>
    /// <param name="model">The model.</param>
    /// <param name="toward">The texts that the direction leads to.</param>
    /// <param name="from">The texts that it leads away from; with none it is the mean itself.</param>
    /// <param name="site">The name of the site.</param>
    /// <param name="pooling">How the positions of a text become one.</param>
    /// <param name="threads">Threads to compute with; 0 for one per physical core.</param>
    /// <param name="cancellationToken">Stops between two layers.</param>
    /// <returns>The direction.</returns>
    /// <exception cref="Gpt2Exception">There is no such site, or a text does not fit into the context.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2Direction Between(
        Gpt2Model model, IReadOnlyList<string> toward, IReadOnlyList<string> from, string site, Pooling pooling = default, int threads = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(toward);
        ArgumentNullException.ThrowIfNull(from);
        if (toward.Count == 0) throw new Gpt2Exception(Gpt2Error.InvalidArgument, "There is no text for the direction to lead to; give one at least.");
        var pooled = new PooledTexts(model, site, pooling, threads);
        double[] mean = pooled.MeanOf(toward, cancellationToken);
        if (from.Count > 0) mean = [.. mean.Zip(pooled.MeanOf(from, cancellationToken), (a, b) => a - b)];
        LogitsCheck.RequireFinite(model, mean);
        return new Gpt2Direction(site, [.. mean.Select(value => (float)value)]);
    }

    /// <summary>Reads a direction that <see cref="Save"/> wrote, or NumPy: an npz file with one vector, whose name is the site.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The direction.</returns>
    /// <exception cref="Gpt2Exception">The file is missing, or is not one vector.</exception>
    public static Gpt2Direction Load(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path)) throw new Gpt2Exception(Gpt2Error.FileNotFound, $"'{path}' does not exist; give an npz file that a direction was saved to.", path);
        using ITensorSource source = new NpzFormat().Open(path, cancellationToken);
        if (source.Tensors is [StoredTensor { Shape.Rank: 1 } vector] && vector.DType.IsFloat()) return new Gpt2Direction(vector.Name, vector.GetFloats().ToArray());
        throw new Gpt2Exception(
            Gpt2Error.InvalidArgument,
            $"'{path}' has {source.Tensors.Count} arrays: {string.Join(", ", source.Tensors.Take(4).Select(tensor => $"{VisibleText.Of(tensor.Name)} {tensor.Shape}"))}; "
                + "a direction is one vector of floating-point numbers, named after its site.",
            path);
    }

    /// <summary>Saves the direction as an npz file, which NumPy reads too, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether a file that already exists may be replaced.</param>
    /// <exception cref="Gpt2Exception">The file exists or cannot be written.</exception>
    public void Save(string path, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!overwrite && File.Exists(path)) throw UnwritableFile.Exists(path);
        try
        {
            using var writer = new NpzWriter(path);
            writer.Add(Site, TensorDType.Float32, new TensorShape(Count), MemoryMarshal.AsBytes(_values.AsSpan()));
            writer.Finish();
        }
        catch (Exception fault) when (UnwritableFile.IsFault(fault))
        {
            throw UnwritableFile.Refused(path, fault);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{VisibleText.Of(Site)} [{Count}], norm {Norm:0.###}");
}
