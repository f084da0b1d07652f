using System.Diagnostics.CodeAnalysis;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Files;

namespace PicoGpt.Store;

/// <summary>Checks a model's files against the catalog and their tensors against the checkpoint's index.</summary>
internal static class ModelChecker
{
    public static IEnumerable<ModelCheck> Check(
        string folder, CatalogModel model, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        foreach (CatalogFile file in model.IsBuiltIn ? FilesOf(folder) : model.Files)
        {
            string path = Path.Combine(folder, file.Name);
            yield return new ModelCheck(model.Name, file.Name, null, ProblemOf(path, file, cancellationToken));
            if (BundlePath.PrefixOfData(path) is not { } prefix || !File.Exists(path)) continue;
            if (!TryOpen(prefix, out TensorBundle? bundle)) continue;
            using (bundle)
            {
                foreach (ModelCheck check in CheckTensors(bundle, model, file, progress, cancellationToken)) yield return check;
            }
        }
    }

    private static IEnumerable<CatalogFile> FilesOf(string folder) => Directory.EnumerateFiles(folder)
        .Order(StringComparer.Ordinal)
        .Select(path => new CatalogFile(Path.GetFileName(path), null, null));

    private static IEnumerable<ModelCheck> CheckTensors(
        TensorBundle bundle, CatalogModel model, CatalogFile file, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var problems = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (TensorCheck check in bundle.CheckAll(progress, cancellationToken))
        {
            string group = GroupOf(check.Entry.Name);
            if (problems.GetValueOrDefault(group) is null) problems[group] = check.Error?.Message;
        }

        return problems.Select(pair => new ModelCheck(model.Name, file.Name, pair.Key, pair.Value));
    }

    // "model/h0/attn/c_attn/w" belongs to "h0", "model/wte" to "wte".
    private static string GroupOf(string tensor)
    {
        string[] parts = tensor.Split('/');
        return parts.Length > 1 ? parts[1] : tensor;
    }

    private static string? ProblemOf(string path, CatalogFile file, CancellationToken cancellationToken)
    {
        try
        {
            if (!File.Exists(path)) return $"The file '{path}' is missing.";
            FileVerifier.VerifyFile(path, file, ModelRepair.ComputeSha256(path, file, cancellationToken));
            return null;
        }
        catch (RefetchFault fault)
        {
            return $"In '{path}', {fault.Message}.";
        }
        catch (Gpt2Exception fault)
        {
            return fault.Message;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException) // somebody removed it in the meantime
        {
            return ReadableFile.Refused(path, fault).Message;
        }
    }

    private static bool TryOpen(string prefix, [NotNullWhen(true)] out TensorBundle? bundle)
    {
        try
        {
            bundle = TensorBundle.OpenExactly(prefix, shardSuffix: "");
            return true;
        }
        catch (Gpt2Exception)
        {
            bundle = null; // a result of its own says what is wrong with the index
            return false;
        }
    }
}
