using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>The one place where faults of the engine get their error ids and categories.</summary>
internal static class ErrorRecords
{
    // A target may be a text of megabytes, of which PowerShell shows forty characters.
    private const int MaxTargetLength = 256;

    private const string NoMemory = "There was not enough memory; free some, or ask for less: a smaller model, a reduced -Precision, fewer or shorter texts.";

    /// <summary>The error record for an exception; its id is the engine's own word for the fault.</summary>
    public static ErrorRecord From(Exception exception, object? target)
    {
        ErrorRecord record = RecordOf(NextSteps.AddTo(exception), target);
        if (record.CategoryInfo.TargetName is { Length: > 0 } name)
            record.CategoryInfo.TargetName = Format.Visible(name.Length <= MaxTargetLength ? name : $"{name[..MaxTargetLength]}…");

        // The operating system's sentences have paths in them as they are; the engine's are spelled out already.
        record.ErrorDetails = new ErrorDetails(Format.Visible(record.Exception.Message)) { RecommendedAction = NextSteps.Of(record.Exception) };
        return record;
    }

    private static ErrorRecord RecordOf(Exception exception, object? target) => exception switch
    {
        Gpt2Exception fault => new ErrorRecord(fault, fault.Error.ToString(), Category(fault.Error), target ?? fault.Path),
        ObjectDisposedException => new ErrorRecord(exception, "ModelClosed", ErrorCategory.InvalidOperation, target),
        UnauthorizedAccessException => new ErrorRecord(exception, "AccessDenied", ErrorCategory.PermissionDenied, target),
        OutOfMemoryException => RecordOf(new Gpt2Exception(Gpt2Error.InsufficientMemory, NoMemory, path: null, exception), target),
        WildcardPatternException => new ErrorRecord(exception, nameof(Gpt2Error.InvalidArgument), ErrorCategory.InvalidArgument, target),
        IOException => new ErrorRecord(exception, "ReadFailed", ErrorCategory.ReadError, target),
        _ => new ErrorRecord(exception, "Unexpected", ErrorCategory.NotSpecified, target),
    };

    private static ErrorCategory Category(Gpt2Error error) => error switch
    {
        Gpt2Error.FileNotFound or Gpt2Error.TensorNotFound => ErrorCategory.ObjectNotFound,
        Gpt2Error.UnknownModel or Gpt2Error.ModelNotCached or Gpt2Error.NoWeights or Gpt2Error.AdapterAlone => ErrorCategory.ObjectNotFound,
        Gpt2Error.Unreadable => ErrorCategory.OpenError,
        Gpt2Error.DownloadFailed => ErrorCategory.ConnectionError,
        Gpt2Error.Offline or Gpt2Error.InsufficientMemory => ErrorCategory.ResourceUnavailable,
        Gpt2Error.DiskFull or Gpt2Error.Unwritable => ErrorCategory.WriteError,
        Gpt2Error.AlreadyExists => ErrorCategory.ResourceExists,
        Gpt2Error.InUse or Gpt2Error.FileChanged => ErrorCategory.ResourceBusy,
        Gpt2Error.InvalidToken or Gpt2Error.InvalidArgument or Gpt2Error.InvalidSource => ErrorCategory.InvalidArgument,
        Gpt2Error.ContextExceeded => ErrorCategory.LimitsExceeded,
        Gpt2Error.Unsupported => ErrorCategory.NotImplemented,
        _ => ErrorCategory.InvalidData,
    };
}
