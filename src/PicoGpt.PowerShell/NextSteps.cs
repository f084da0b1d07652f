namespace PicoGpt.PowerShell;

/// <summary>
/// What to do next about a fault, in the commands and parameters of this shell. The engine, which serves other shells too, tells the facts
/// and the kind of the fault.
/// </summary>
internal static class NextSteps
{
    private const string OpenAgain = "Open the model again with Get-Gpt2Model.";

    /// <summary>The same fault with a sentence that goes as far as the command to type, where one helps.</summary>
    public static Exception AddTo(Exception exception) => exception switch
    {
        Gpt2Exception fault when EndingFor(fault) is { } ending =>
            new Gpt2Exception(fault.Error, $"{fault.Message.TrimEnd('.')}{ending}.", fault.Path, fault) { Model = fault.Model },
        ObjectDisposedException closed => new ObjectDisposedException($"{SentenceOf(closed)} {OpenAgain}", closed),
        _ => exception,
    };

    /// <summary>The next step alone, or <see langword="null"/> where the sentence has all there is to say.</summary>
    public static string? Of(Exception exception) => exception switch
    {
        ObjectDisposedException => OpenAgain,
        Gpt2Exception fault => Of(fault.Error, fault.Model),
        _ => null,
    };

    private static string? EndingFor(Gpt2Exception fault) => fault.Error switch
    {
        Gpt2Error.AlreadyExists => ", or use -Force to overwrite it",
        Gpt2Error.ModelNotCached when fault.Model is { } model => $" with Save-Gpt2Model {model}, or give the path of a folder that has it",
        Gpt2Error.UnknownModel when fault.Model.AsSpan().ContainsAny('/', '\\') => "; a model's folder is opened by Get-Gpt2Model -Path, and verified by Test-Gpt2Model -Path",
        Gpt2Error.UnknownHeadCount => ". Get-Gpt2Model takes the number as -HeadCount",
        Gpt2Error.AdapterAlone => ", by Get-Gpt2Model -Adapter",
        Gpt2Error.NoWeights => ". ConvertTo-Gpt2Token and ConvertFrom-Gpt2Token take it as -Model",
        _ => null,
    };

    private static string? Of(Gpt2Error error, string? model) => error switch
    {
        Gpt2Error.AlreadyExists => "Choose another path, or use -Force to overwrite the file.",
        Gpt2Error.ModelNotCached when model is not null => $"Run Save-Gpt2Model {model}.",
        Gpt2Error.UnknownModel => "Get-Gpt2Model -ListAvailable lists the models, and what of them is on this machine.",
        Gpt2Error.UnknownHeadCount => "Open the model with Get-Gpt2Model -HeadCount.",
        Gpt2Error.AdapterAlone => "Open the model that it was trained on, with the folder as Get-Gpt2Model's -Adapter.",
        Gpt2Error.NoWeights => "Put the weights beside the vocabulary, or use ConvertTo-Gpt2Token and ConvertFrom-Gpt2Token.",
        Gpt2Error.TensorNotFound => "Get-Gpt2Weight lists the weights of a model, and with -Raw the tensors of its checkpoint.",
        Gpt2Error.Truncated or Gpt2Error.ChecksumMismatch or Gpt2Error.Corrupt or Gpt2Error.LfsPointer or Gpt2Error.ErrorBody =>
            "Copy or download the file again. Test-Gpt2Model finds every damaged file, and with -Repair it fetches those of a model in the cache again.",
        Gpt2Error.NotFinite => "Trace-Gpt2Text shows the layer where it begins, and Get-Gpt2Weight | Where-Object { $_.NaNs + $_.Infinities } the weights that hold such values.",
        Gpt2Error.Offline => "Set $env:PICOGPT_OFFLINE = 0, or name a folder that has the files with -Source.",
        Gpt2Error.DownloadFailed => "Check the address of the source, or name another one with -Source. Running the command again resumes the download.",
        Gpt2Error.InvalidSource => "Give -Source or $env:PICOGPT_SOURCE an address such as https://example.org/models.",
        Gpt2Error.DiskFull => "Make room on the disk, and run the command again.",
        Gpt2Error.InUse => "Close the model with its Dispose(), or wait for the other process, and run the command again.",
        Gpt2Error.FileChanged => "Wait until the other program has finished, and open the model again with Get-Gpt2Model.",
        Gpt2Error.InsufficientMemory => "Close other programs, or take a smaller model, a reduced -Precision, or fewer or shorter texts.",
        _ => null,
    };

    // Message has the object's name in a line of its own besides.
    private static string SentenceOf(ObjectDisposedException closed) => closed.Message.Split('\n')[0].TrimEnd('\r');
}
