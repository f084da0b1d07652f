namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>What a pickle names by its module and name. It is only a name here: nothing is imported or run.</summary>
internal sealed record PickleGlobal(string Module, string Name);
