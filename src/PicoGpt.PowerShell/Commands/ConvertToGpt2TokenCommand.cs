using System.Management.Automation;
using PicoGpt.Tokens;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Turns text into tokens: <c>'Hello world' | ConvertTo-Gpt2Token -Model 124M</c>.</summary>
[Cmdlet(VerbsData.ConvertTo, "Gpt2Token", DefaultParameterSetName = InputSet, HelpUri = HelpAddress.Pages + "ConvertTo-Gpt2Token.md")]
[OutputType(typeof(Gpt2Token))]
public sealed class ConvertToGpt2TokenCommand : Gpt2TextCmdlet
{
    private Tokenizer? _encoder;

    /// <summary>The texts.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = TextSet)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>Emit so many of the first tokens of each text.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(NumberCompleter))]
    public int First { get; set; } = int.MaxValue;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Arguments => Text;

    /// <inheritdoc/>
    private protected override void Begin(Gpt2ModelReference model) => _encoder = OpenEncoder(model);

    /// <inheritdoc/>
    private protected override void Take(SourceText text)
    {
        (int line, int at) = (Math.Max(text.Line, 1), 0);
        foreach (Gpt2Token token in _encoder!.Tokenize(text.Text, AllowSpecial).Take(First))
        {
            line += text.Text.AsSpan(at, token.Start - at).Count('\n');
            at = token.Start;
            WriteObject(token with { Path = text.Path, Line = line });
        }
    }
}
