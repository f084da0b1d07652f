using System.Management.Automation;
using PicoGpt.Tokens;

namespace PicoGpt.PowerShell.Commands;

/// <summary>Turns token ids into text: <c>15496, 995 | ConvertFrom-Gpt2Token -Model 124M</c>.</summary>
[Cmdlet(VerbsData.ConvertFrom, "Gpt2Token", HelpUri = HelpAddress.Pages + "ConvertFrom-Gpt2Token.md")]
[OutputType(typeof(string))]
public sealed class ConvertFromGpt2TokenCommand : Gpt2FetchingCmdlet
{
    private readonly List<int> _ids = [];
    private Tokenizer? _encoder;

    /// <summary>Token ids; all that come down the pipeline make one text.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Ids")]
    [AllowEmptyCollection]
    [TokenIds]
    public int[] Id { get; set; } = [];

    /// <summary>The model whose vocabulary is used: an object, a name or a path.</summary>
    [Parameter]
    [ModelTransformation]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public Gpt2ModelReference? Model { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _encoder = SetUp(Model, () => OpenEncoder(Model ?? DefaultModel()));

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (int id in Id)
        {
            PerItem(id, () =>
            {
                _ = _encoder!.GetBytes(id);
                _ids.Add(id);
            });
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => WriteObject(DecodedText.Of(_encoder!.Decode(_ids)));
}
