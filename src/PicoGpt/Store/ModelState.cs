namespace PicoGpt.Store;

/// <summary>Whether a model's files are on this machine.</summary>
public enum ModelState
{
    /// <summary>It ships with the module.</summary>
    BuiltIn,

    /// <summary>All its files are in the cache.</summary>
    Cached,

    /// <summary>Some of its files are in the cache.</summary>
    Partial,

    /// <summary>None of its files is in the cache.</summary>
    NotFetched,
}
