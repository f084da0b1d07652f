using System.Globalization;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Fuzz.Targets;

/// <summary>Reads all that a checkpoint holds.</summary>
internal static class CheckpointReading
{
    /// <summary>A line for each tensor. A tensor that is refused does not keep the others from being read.</summary>
    public static string Read(string path)
    {
        using TensorBundle bundle = TensorBundle.Open(path);
        var answer = new StringBuilder();
        Gpt2Exception? refusal = null;
        refusal = Try(() => bundle.EnsureComplete(), refusal);
        foreach (TensorEntry entry in bundle.Entries)
            refusal = Try(() => answer.AppendLine(CultureInfo.InvariantCulture, $"{entry.Name} {entry.DType} {entry.Shape} {Describe(bundle, entry)}"), refusal);
        return refusal is null ? answer.ToString() : throw refusal;
    }

    private static string Describe(TensorBundle bundle, TensorEntry entry)
    {
        bundle.Verify(entry);
        if (entry.DType == TensorDType.String) return string.Join(' ', bundle.ReadStrings(entry).Select(Convert.ToHexString));
        uint bytes = Crc32C.Compute(bundle.GetBytes(entry).Span);
        bool isFloat = entry.DType is TensorDType.Float16 or TensorDType.BFloat16 or TensorDType.Float64 or TensorDType.Float32;
        return isFloat ? $"{bytes:x8} {bundle.GetFloats(entry).Length}" : $"{bytes:x8}";
    }

    private static Gpt2Exception? Try(Action action, Gpt2Exception? before)
    {
        try
        {
            action();
            return before;
        }
        catch (Gpt2Exception refusal)
        {
            return before ?? refusal;
        }
    }
}
