namespace PicoGpt.Pickles;

/// <summary>
/// Stands for an object that a pickle would have Python make: nothing of it is made, and what the pickle puts into it is dropped.
/// </summary>
/// <param name="Class">What would be called.</param>
internal sealed record PickleObject(PickleGlobal Class);
