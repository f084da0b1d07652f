using System.Globalization;
using System.Text;
using PicoGpt.Checkpoints;
using PicoGpt.Files;

namespace PicoGpt.Fuzz.Targets;

/// <summary>Reads all that a file of tensors holds, whatever its format.</summary>
internal static class SourceReading
{
    public static string Read(string path)
    {
        using ITensorSource source = ModelFiles.OpenWeights(path);
        source.EnsureComplete();
        var answer = new StringBuilder();
        foreach (StoredTensor tensor in source.Tensors)
        {
            tensor.Verify();
            uint bytes = Crc32C.Compute(tensor.GetBytes().Span);
            int floats = tensor.DType.IsFloat() ? tensor.GetFloats().Length : 0;
            answer.AppendLine(CultureInfo.InvariantCulture, $"{tensor.Name} {tensor.DType} {tensor.Shape} {bytes:x8} {floats}");
        }

        return answer.ToString();
    }
}
