using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using PicoGpt.Files;

namespace PicoGpt.Pictures;

/// <summary>
/// Writes PNG images of 8 bits per channel without transparency (W3C, "Portable Network Graphics Specification", 3rd edition).
/// </summary>
internal static class PngEncoder
{
    private const byte ColorTypeRgb = 2;
    private const byte FilterSub = 1;
    private const int BytesPerPixel = 3;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    /// <summary>An image as the bytes of a PNG file.</summary>
    /// <param name="pixels">[height, width], row by row from the top.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">How to read it.</param>
    public static byte[] Encode(ReadOnlySpan<Rgb> pixels, int width, string title, string description)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        int height = pixels.Length / width;
        using var output = new MemoryStream();
        output.Write(Signature);
        byte[] header = new byte[13]; // width, height, bit depth, colour type, compression, filter, interlace
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, ColorTypeRgb);
        WriteChunk(output, "IHDR", header);
        WriteChunk(output, "iTXt", Text("Title", title));
        WriteChunk(output, "iTXt", Text("Description", description));
        WriteChunk(output, "IDAT", Compress(pixels, width, height));
        WriteChunk(output, "IEND", []);
        return output.ToArray();
    }

    private static byte[] Compress(ReadOnlySpan<Rgb> pixels, int width, int height)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] line = new byte[1 + (width * BytesPerPixel)];
            line[0] = FilterSub; // each byte less the one of the pixel to the left
            for (int y = 0; y < height; y++)
            {
                Rgb left = default;
                for (int x = 0; x < width; x++)
                {
                    Rgb pixel = pixels[(y * width) + x];
                    int at = 1 + (x * BytesPerPixel);
                    line[at] = (byte)(pixel.R - left.R);
                    line[at + 1] = (byte)(pixel.G - left.G);
                    line[at + 2] = (byte)(pixel.B - left.B);
                    left = pixel;
                }

                stream.Write(line);
            }
        }

        return compressed.ToArray();
    }

    // keyword, 0, no compression, no language, no translated keyword, text in UTF-8
    private static byte[] Text(string keyword, string text) =>
        [.. Encoding.ASCII.GetBytes(keyword), 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];

    private static void WriteChunk(Stream output, string type, byte[] data)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        output.Write(number);
        byte[] name = Encoding.ASCII.GetBytes(type);
        output.Write(name);
        output.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Append(Crc32.Compute(name), data));
        output.Write(number);
    }
}
