using System.Text;
using PicoGpt.Weights;

namespace PicoGpt.Pictures;

/// <summary>Text cut into lines.</summary>
internal static class TextLines
{
    /// <summary>A tensor's name and shape on one line. A checkpoint's names may have any character, and must not command a terminal.</summary>
    public static string Title(FloatTensor tensor) =>
        VisibleText.Of(tensor.Name) + "  " + string.Join(" × ", tensor.Layout.Shape);

    /// <summary>Lines of no more than so many characters, unless a word alone has more.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new StringBuilder();
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0) line.Append(' ');
            line.Append(word);
        }

        yield return line.ToString();
    }
}
