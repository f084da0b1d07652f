namespace PicoGpt.Store;

/// <summary>What a download is doing.</summary>
public enum DownloadState
{
    /// <summary>It has not begun, or has ended.</summary>
    Idle,

    /// <summary>Another process fetches the same model.</summary>
    Waiting,

    /// <summary>A source is asked.</summary>
    Connecting,

    /// <summary>Bytes arrive.</summary>
    Downloading,

    /// <summary>A fault that may pass is waited out.</summary>
    Retrying,

    /// <summary>A file that arrived is checked.</summary>
    Verifying,
}
