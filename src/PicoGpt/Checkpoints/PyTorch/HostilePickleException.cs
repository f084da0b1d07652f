using PicoGpt.Pickles;

namespace PicoGpt.Checkpoints.PyTorch;

/// <summary>A pickle would have Python run a program.</summary>
/// <param name="global">What it would call.</param>
internal sealed class HostilePickleException(PickleGlobal global) : Exception($"it asks for '{global}'");
