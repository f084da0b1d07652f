namespace PicoGpt.Store;

/// <summary>What a download is doing.</summary>
public enum DownloadState
{
    /// <summary>It has not begun, or has ended.</summary>
    Idle,

    /// <summary>Another process is fetching the same model.</summary>
    Waiting,

    /// <summary>A source has been asked and has not answered yet.</summary>
    Connecting,

    /// <summary>Bytes are arriving.</summary>
    Downloading,

    /// <summary>It is waiting out a fault that may pass.</summary>
    Retrying,

    /// <summary>A file that has arrived is being checked.</summary>
    Verifying,
}
