using PicoGpt.Store;

namespace PicoGpt.Tests.Store;

/// <summary>What a server does, and how the download has to end.</summary>
/// <param name="Script">The server's answers.</param>
/// <param name="Sentence">What the error's sentence contains; <see langword="null"/> where the model must arrive.</param>
/// <param name="Model">What is known of the model; by default everything.</param>
/// <param name="IsSilent">Whether the server keeps silent, so that the client should not wait for long.</param>
/// <param name="IsSlow">Whether the server sends so slowly that the client should notice.</param>
internal sealed record FaultCase(
    Func<FaultyRequest, FaultyAnswer?> Script, string? Sentence = null, CatalogModel? Model = null, bool IsSilent = false, bool IsSlow = false);
