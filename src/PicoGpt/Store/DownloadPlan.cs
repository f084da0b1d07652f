namespace PicoGpt.Store;

/// <summary>What a download is going to do.</summary>
/// <param name="Model">The model.</param>
/// <param name="Files">The files that have to be fetched, the small ones first.</param>
/// <param name="Bytes">Their size in bytes, as far as sizes are known, without what an interrupted download has left.</param>
/// <param name="Sources">Where they come from, in the order in which the sources are tried.</param>
/// <param name="Folder">The folder that they are fetched into.</param>
public sealed record DownloadPlan(
    CatalogModel Model, IReadOnlyList<CatalogFile> Files, long Bytes, IReadOnlyList<ModelSource> Sources, string Folder);
