using System.Management.Automation;
using PicoGpt.Exporting;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Writes a model in another format: <c>Get-Gpt2Model 124M | Export-Gpt2Model ./hf -Format Safetensors</c>.</summary>
[Cmdlet(VerbsData.Export, "Gpt2Model", SupportsShouldProcess = true, HelpUri = HelpAddress.Pages + "Export-Gpt2Model.md")]
[OutputType(typeof(FileInfo))]
public sealed class ExportGpt2ModelCommand : Gpt2FetchingCmdlet
{
    /// <summary>The folder to write to, or the weights' file in it.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string Path { get; set; } = "";

    /// <summary>The format of the weights; it may be left out where the path is that of their file, whose ending tells it.</summary>
    [Parameter(Position = 1)]
    [ModelFormatTransformation]
    [ArgumentCompleter(typeof(ModelFormatCompleter))]
    public string? Format { get; set; }

    /// <summary>The model: an object, a name or a path.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <summary>Names or wildcard patterns of the weights to write; all when it is left out.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(WeightNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>The type in which the weights are written; their own, as far as the format has it, when it is left out.</summary>
    [Parameter]
    [PrecisionTransformation]
    [ArgumentCompleter(typeof(PrecisionCompleter))]
    public string? Precision { get; set; }

    /// <summary>Write over files that are there.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(Model, () => Export(Open(Model)));

    private void Export(Gpt2Model model)
    {
        WildcardPattern[] patterns = [.. Name.Select(name => PatternOf(model, name))];
        string path = SessionPath.Resolve(SessionState, Path);
        Gpt2Precision? precision = Precision is null ? null : Enum.Parse<Gpt2Precision>(Precision);
        string format = Format ?? ModelExport.FormatOf(path) ?? throw Refused($"The ending of '{path}' tells no format; give one with -Format, {string.Join(", ", ModelExport.Formats)}.");
        var export = ModelExport.Plan(model, path, format, IsWanted, precision);
        string action = $"Write {export.Count} weights of {model.Name} ({PowerShell.Format.Bytes(export.Size)}) as {format}";
        if (!ShouldProcess(export.Files is [var only] ? only : export.Folder, action)) return;

        var written = new LatestValue<long>();
        using (var bar = new ProgressBar(this, $"Exporting {model.Name}"))
            Await(() => export.Run(Force, written, StopToken), () => bar.Show(written.Value, export.Size));
        if (Gpt2Model.DoubtOf(model.Parameters.Where(IsWanted)) is { } doubt) WriteWarning(doubt);
        foreach (string file in export.Files) WriteItem(file);

        bool IsWanted(Gpt2Weight weight) => Array.Exists(patterns, pattern => pattern.IsMatch(weight.Name));
    }

    /// <summary>The pattern of a name; a name without wildcards has to be that of a weight.</summary>
    private static WildcardPattern PatternOf(Gpt2Model model, string name)
    {
        WildcardPattern pattern = NamePattern.Of(name);
        if (NamePattern.HasWildcards(name) || model.Parameters.Any(weight => pattern.IsMatch(weight.Name))) return pattern;
        throw NoWeight(model, name);
    }
}
