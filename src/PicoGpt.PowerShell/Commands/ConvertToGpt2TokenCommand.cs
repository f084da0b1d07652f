using System.Management.Automation;
using PicoGpt.Tokens;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Turns text into tokens: <c>'Hello world' | ConvertTo-Gpt2Token -Model 124M</c>.</summary>
[Cmdlet(VerbsData.ConvertTo, "Gpt2Token", HelpUri = HelpAddress.Pages + "ConvertTo-Gpt2Token.md")]
[OutputType(typeof(Gpt2Token))]
public sealed class ConvertToGpt2TokenCommand : Gpt2FetchingCmdlet
{
    private Tokenizer? _encoder;

    /// <summary>The texts.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    public string[] Text { get; set; } = [];

    /// <summary>The model whose vocabulary is used: an object, a name or a path.</summary>
    [Parameter(Mandatory = true)]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference Model { get; set; } = null!;

    /// <summary>Take <c>&lt;|endoftext|&gt;</c> in the text for the special token instead of for ordinary characters.</summary>
    [Parameter]
    public SwitchParameter AllowSpecial { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _encoder = SetUp(Model, () => OpenEncoder(Model));

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string text in Text)
        {
            PerItem(text, () =>
            {
                foreach (Gpt2Token token in _encoder!.Tokenize(text, AllowSpecial)) WriteObject(token);
            });
        }
    }
}
