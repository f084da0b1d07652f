namespace PicoGpt.Store;

/// <summary>What a download is going to do.</summary>
/// <param name="Model">The model.</param>
/// <param name="Files">The files that have to be fetched, the small ones first.</param>
/// <param name="Bytes">How many bytes that is, as far as sizes are known; what an interrupted download left is not counted.</param>
/// <param name="Sources">From where, in the order of trying.</param>
/// <param name="Folder">The folder to which.</param>
public sealed record DownloadPlan(
    CatalogModel Model, IReadOnlyList<CatalogFile> Files, long Bytes, IReadOnlyList<ModelSource> Sources, string Folder);
