namespace PicoGpt.Foundation;

/// <summary>The kinds of fault that <see cref="Gpt2Exception"/> reports.</summary>
public enum Gpt2Error
{
    /// <summary>A file or folder does not exist.</summary>
    FileNotFound,

    /// <summary>A file exists, but the operating system does not let it be read.</summary>
    Unreadable,

    /// <summary>A file is not of the format it should be (bad magic number, not JSON, not a checkpoint).</summary>
    NotAFormat,

    /// <summary>A git-LFS pointer lies where the file should be.</summary>
    LfsPointer,

    /// <summary>A server's error page (HTML, XML) lies where the file should be.</summary>
    ErrorBody,

    /// <summary>A file is shorter than its index or header says.</summary>
    Truncated,

    /// <summary>A checksum does not match.</summary>
    ChecksumMismatch,

    /// <summary>A file is of the right format, but contradicts itself.</summary>
    Corrupt,

    /// <summary>A legal file that uses something this version does not read.</summary>
    Unsupported,

    /// <summary>A tensor of that name is not in the checkpoint.</summary>
    TensorNotFound,

    /// <summary>Tensors are missing, misshapen or surplus for the architecture.</summary>
    WrongArchitecture,

    /// <summary>Nothing tells how many attention heads the model has.</summary>
    UnknownHeadCount,

    /// <summary>A folder holds a vocabulary, but no weights.</summary>
    NoWeights,

    /// <summary>A folder holds an adapter, which belongs to a model elsewhere.</summary>
    AdapterAlone,

    /// <summary>A token id is outside the vocabulary.</summary>
    InvalidToken,

    /// <summary>A prompt does not fit into the context.</summary>
    ContextExceeded,

    /// <summary>The model's name is not known.</summary>
    UnknownModel,

    /// <summary>The model is known, but not on this machine.</summary>
    ModelNotCached,

    /// <summary>An argument is outside its range.</summary>
    InvalidArgument,

    /// <summary>No source gave a file that is needed.</summary>
    DownloadFailed,

    /// <summary>Something has to be fetched, but downloads are switched off.</summary>
    Offline,

    /// <summary>The disk has no room for what is to be fetched.</summary>
    DiskFull,

    /// <summary>A file or folder cannot be written.</summary>
    Unwritable,

    /// <summary>A file of that name exists, and is not to be overwritten.</summary>
    AlreadyExists,

    /// <summary>The address of a source cannot be used.</summary>
    InvalidSource,

    /// <summary>Another process works on the same model, or somebody has it open.</summary>
    InUse,

    /// <summary>The machine has too little memory to run the model.</summary>
    InsufficientMemory,

    /// <summary>A file is being overwritten while it is in use.</summary>
    FileChanged,

    /// <summary>What a model computes is infinite or not a number, so nothing can be told by it.</summary>
    NotFinite,
}
