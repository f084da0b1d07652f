using System.Management.Automation;
using System.Text;
using PicoGpt.Files;
using PicoGpt.Pictures;
using PicoGpt.Weights;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Draws weights: <c>Get-Gpt2Weight wpe -Model 124M | Show-Gpt2Weight</c>.</summary>
[Cmdlet(
    VerbsCommon.Show, "Gpt2Weight", DefaultParameterSetName = ScreenSet, SupportsShouldProcess = true,
    HelpUri = HelpAddress.Pages + "Show-Gpt2Weight.md")]
[OutputType(typeof(WeightPicture), ParameterSetName = [ScreenSet])]
[OutputType(typeof(FileInfo), ParameterSetName = [FileSet])]
public sealed class ShowGpt2WeightCommand : Gpt2Cmdlet
{
    private const string ScreenSet = "Screen";
    private const string FileSet = "File";
    private const string HeatmapKind = "Heatmap";
    private const string HistogramKind = "Histogram";
    private const string Mean = "Mean";
    private const string Extreme = "Extreme";
    private const int DefaultWidth = 80;
    private const int MaxLines = 24;
    private const int MaxPixels = 1024;
    private const int BinsOfFile = 128;
    private const int HeightOfBars = 384;

    private readonly HashSet<string> _written = [];

    /// <summary>Weights, slices of them, or tensors of any checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ScreenSet)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = FileSet)]
    [ValidateNotNull]
    [ObjectOf(typeof(FloatTensor), "a weight", "take it in this session, as by Get-Gpt2Weight wpe -Model 3M | Show-Gpt2Weight")]
    public FloatTensor[] InputObject { get; set; } = [];

    /// <summary>A part of each weight, in NumPy's notation, such as <c>0:64, :</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public string? Slice { get; set; }

    /// <summary>What to draw.</summary>
    [Parameter]
    [ValidateSet(HeatmapKind, HistogramKind)]
    public string? As { get; set; }

    /// <summary>What a cell of a heatmap shows of the values that it stands for.</summary>
    [Parameter]
    [ValidateSet(Mean, Extreme)]
    public string Cell { get; set; } = Mean;

    /// <summary>The magnitude at which the colours of a heatmap end; 0, which cannot be given, stands for one that fits.</summary>
    [Parameter]
    [InRange(0, float.MaxValue, Above = true)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public float Limit { get; set; }

    /// <summary>The most columns: characters on the screen, cells or bins in a file.</summary>
    [Parameter]
    [ValidateRange(8, 4096)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Width { get; set; }

    /// <summary>The most rows: lines or bins on the screen, cells or pixels in a file.</summary>
    [Parameter]
    [ValidateRange(2, 4096)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int Height { get; set; }

    /// <summary>The file to write: <c>.svg</c> or <c>.png</c>.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = FileSet)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Overwrites a file that exists.</summary>
    [Parameter(ParameterSetName = FileSet)]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (FloatTensor tensor in InputObject)
        {
            PerItem(tensor, () =>
            {
                FloatTensor part = Slice is null ? tensor : tensor.Slice(Slice);
                if (Path is null) WriteObject(Draw(part));
                else Write(part, SessionPath.Resolve(SessionState, Path));
            });
        }
    }

    // One row of colours tells less of a vector than its histogram does.
    private string KindOf(FloatTensor tensor) => As ?? (tensor.Layout.Shape.Count < 2 ? HistogramKind : HeatmapKind);

    private WeightPicture Draw(FloatTensor tensor)
    {
        int width = Or(Width, ScreenWidth());
        return KindOf(tensor) == HistogramKind
            ? WeightPicture.Of(tensor, HistogramChart.Of(tensor, Or(Height, MaxLines)), width)
            : WeightPicture.Of(tensor, HeatmapOf(tensor, Or(Height, MaxLines), width), width);
    }

    private Heatmap HeatmapOf(FloatTensor tensor, int rows, int columns) =>
        Heatmap.Of(tensor, rows, columns, Cell == Extreme ? CellValue.Extreme : CellValue.Mean, Limit > 0 ? Limit : null);

    private void Write(FloatTensor tensor, string path)
    {
        string extension = System.IO.Path.GetExtension(path).ToLowerInvariant();
        if (extension is not (".svg" or ".png"))
            throw new Gpt2Exception(Gpt2Error.InvalidArgument, $"'{path}' should end in .svg or .png, which says what to write.", path);
        if (_written.Contains(path))
        {
            throw new Gpt2Exception(
                Gpt2Error.Unwritable,
                $"'{path}' was just written for another weight; "
                    + $"give each its own, such as -Path {{ \"$($_.Name -replace '/', '.'){extension}\" }}.",
                path);
        }

        if (Directory.Exists(path)) throw new Gpt2Exception(Gpt2Error.Unwritable, $"'{path}' is a folder; give the name of a file.", path);
        if (File.Exists(path) && !Force) throw UnwritableFile.Exists(path);
        if (!ShouldProcess(path, $"Draw {tensor}")) return;
        byte[] picture = extension == ".svg" ? new UTF8Encoding(false).GetBytes(Svg(tensor)) : Png(tensor);
        OutputFile.Save(path, stream => stream.Write(picture));
        _written.Add(path);
        WriteItem(path);
    }

    private string Svg(FloatTensor tensor) => KindOf(tensor) == HistogramKind
        ? SvgPicture.Of(HistogramChart.Of(tensor, Or(Width, BinsOfFile)))
        : SvgPicture.Of(HeatmapOf(tensor, Or(Height, MaxPixels), Or(Width, MaxPixels)));

    private byte[] Png(FloatTensor tensor) => KindOf(tensor) == HistogramKind
        ? ImagePicture.Png(HistogramChart.Of(tensor, Or(Width, BinsOfFile)), Or(Height, HeightOfBars))
        : ImagePicture.Png(HeatmapOf(tensor, Or(Height, MaxPixels), Or(Width, MaxPixels)));

    // No number that can be given is 0.
    private static int Or(int given, int otherwise) => given > 0 ? given : otherwise;

    // A host may have no screen, or one of no width.
    private int ScreenWidth()
    {
        try
        {
            int width = Host.UI.RawUI.WindowSize.Width;
            return width > 0 ? Math.Max(width - 1, 8) : DefaultWidth;
        }
        catch (Exception fault) when (Screen.IsLackOfScreen(fault))
        {
            return DefaultWidth;
        }
    }
}
