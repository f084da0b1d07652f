namespace PicoGpt.Files;

/// <summary>Why a file could not be written, replaced or deleted.</summary>
internal enum WriteRefusal
{
    /// <summary>As the system's own words say.</summary>
    Other,

    /// <summary>Somebody has it open or mapped.</summary>
    InUse,

    /// <summary>It is marked as read-only.</summary>
    ReadOnly,
}
