using System.Management.Automation;
using PicoGpt.Files;
using PicoGpt.Pictures;

namespace PicoGpt.PowerShell;

/// <summary>A command that emits a grid of numbers, or draws it into a file.</summary>
public abstract class Gpt2GridCmdlet : Gpt2CircuitCmdlet
{
    private readonly HashSet<string> _written = [];

    /// <summary>Draw the grid into this SVG file instead of emitting it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string? Svg { get; set; }

    /// <summary>Write one HTML page for a browser to this file, instead of emitting the grid.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [PlainPath]
    public string? Html { get; set; }

    /// <summary>Makes a grid and emits it, or draws it into the files that were asked for.</summary>
    /// <param name="what">What is done.</param>
    /// <param name="share">How much of it is done, from 0 to 1.</param>
    /// <param name="make">Makes the grid.</param>
    private protected void Emit(string what, Func<double> share, Func<Gpt2Grid> make)
    {
        string? svg = PathOf(Svg), html = PathOf(Html);
        string[] wanted = [.. new[] { svg, html }.OfType<string>().Where(path => ShouldProcess(path, what))];
        if ((svg ?? html) is not null && wanted.Length == 0) return;
        Gpt2Grid grid = Work(what, share, make);
        if (wanted.Length == 0) WriteObject(grid);
        foreach (string path in wanted)
        {
            if (path == svg) grid.SaveSvg(path, Force);
            else grid.SaveHtml(path, Force);
            _written.Add(path);
            WriteItem(path);
        }
    }

    private string? PathOf(string? given)
    {
        if (given is null) return null;
        string path = SessionPath.Resolve(SessionState, given);
        if (_written.Contains(path))
        {
            throw new Gpt2Exception(
                Gpt2Error.InvalidArgument, $"A file shows one model, and '{path}' has its own already; give each model a file.", path);
        }

        return File.Exists(path) && !Force ? throw UnwritableFile.Exists(path) : path;
    }
}
