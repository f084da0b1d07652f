namespace PicoGpt.Circuits;

internal static class GridPage
{
    public static void Write(Gpt2Grid grid, Stream stream) { }
}
