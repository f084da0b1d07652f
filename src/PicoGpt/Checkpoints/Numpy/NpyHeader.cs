using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace PicoGpt.Checkpoints.Numpy;

/// <summary>The header of an npy file (NumPy's numpy.lib.format, versions 1 to 3): a literal of a Python dictionary.</summary>
internal static partial class NpyHeader
{
    /// <summary>The bytes before the length of the dictionary: a magic string and the version.</summary>
    public const int FixedLength = 8;

    private const int Alignment = 64;
    private const int MaxDictionaryLength = 1 << 16;

    private static readonly (string Name, TensorDType DType)[] Types =
    [
        ("f4", TensorDType.Float32), ("f2", TensorDType.Float16), ("f8", TensorDType.Float64), ("b1", TensorDType.Bool),
        ("i1", TensorDType.Int8), ("i2", TensorDType.Int16), ("i4", TensorDType.Int32), ("i8", TensorDType.Int64),
        ("u1", TensorDType.UInt8), ("u2", TensorDType.UInt16), ("u4", TensorDType.UInt32), ("u8", TensorDType.UInt64),
    ];

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Whether NumPy has a type.</summary>
    public static bool Knows(TensorDType dtype) => Array.Exists(Types, type => type.DType == dtype);

    /// <summary>The header of version 1, padded as NumPy pads it.</summary>
    public static byte[] Format(TensorDType dtype, TensorShape shape)
    {
        string type = Array.Find(Types, known => known.DType == dtype).Name
            ?? throw new ArgumentException($"NumPy has no {dtype.DisplayName()}", nameof(dtype));
        string order = dtype.ElementSize() == 1 ? "|" : "<";
        string dimensions = string.Join(", ", shape.Dimensions.Select(d => d.ToString(CultureInfo.InvariantCulture)));
        string dictionary = $"{{'descr': '{order}{type}', 'fortran_order': False, 'shape': ({dimensions}{(shape.Rank == 1 ? "," : "")}), }}";
        int length = (FixedLength + sizeof(ushort) + dictionary.Length + Alignment) / Alignment * Alignment; // one more for the line's end
        byte[] header = new byte[length];
        Magic.CopyTo(header);
        header[6] = 1;
        BitConverter.TryWriteBytes(header.AsSpan(FixedLength), (ushort)(length - FixedLength - sizeof(ushort)));
        Encoding.ASCII.GetBytes(dictionary.PadRight(length - FixedLength - sizeof(ushort) - 1) + "\n", header.AsSpan(FixedLength + sizeof(ushort)));
        return header;
    }

    /// <summary>The length of a header, as its own first bytes tell it; 0 where they tell none.</summary>
    public static long LengthOf(ReadOnlySpan<byte> file)
    {
        if (file.Length < FixedLength + sizeof(uint)) return 0;
        return file[6] == 1
            ? FixedLength + sizeof(ushort) + BitConverter.ToUInt16(file[FixedLength..])
            : FixedLength + (long)sizeof(uint) + BitConverter.ToUInt32(file[FixedLength..]);
    }

    /// <summary>Reads a header.</summary>
    /// <param name="file">The first bytes of the file; 64 KiB are enough.</param>
    /// <exception cref="InvalidDataException">It is not a header, or that of an array of another kind; the message says which.</exception>
    public static (TensorDType DType, TensorShape Shape, bool IsFortranOrder, int Length) Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length < FixedLength + sizeof(uint) || !file.StartsWith(Magic)) throw new InvalidDataException("does not begin as an npy file does");
        int version = file[6], lengthSize = version == 1 ? sizeof(ushort) : sizeof(uint);
        if (version is < 1 or > 3) throw new InvalidDataException($"is of version {version}, where 1 to 3 are known");
        uint length = version == 1 ? BitConverter.ToUInt16(file[FixedLength..]) : BitConverter.ToUInt32(file[FixedLength..]);
        int start = FixedLength + lengthSize;
        if (length > MaxDictionaryLength || length > file.Length - start) throw new InvalidDataException($"declares a header of {length} bytes");

        Match match = Dictionary().Match(Encoding.UTF8.GetString(file.Slice(start, (int)length)));
        if (!match.Success) throw new InvalidDataException("has a header that is not that of a plain array");
        return (DTypeOf(match.Groups["descr"].Value), ShapeOf(match.Groups["shape"].Value), match.Groups["order"].Value == "True", start + (int)length);
    }

    // NumPy writes the keys in this order; a dictionary in any other is not one that it wrote.
    [GeneratedRegex(
        @"^\{\s*'descr'\s*:\s*'(?<descr>[^']{2,8})'\s*,\s*'fortran_order'\s*:\s*(?<order>True|False)\s*,\s*"
        + @"'shape'\s*:\s*\((?<shape>[\d\sL,]*)\)\s*(,\s*)?\}\s*\z")]
    private static partial Regex Dictionary();

    private static TensorDType DTypeOf(string descr)
    {
        TensorDType dtype = Array.Find(Types, type => type.Name == descr[1..]).DType;
        bool isReadable = dtype != TensorDType.None && (descr[0] is '<' or '|' || (descr[0] == '>' && dtype.ElementSize() == 1));
        return isReadable ? dtype : throw new InvalidDataException($"is of the type '{descr}', which is not read");
    }

    private static TensorShape ShapeOf(string text)
    {
        if (text.AsSpan().Count(',') > TensorShape.MaxRank)
            throw new InvalidDataException($"has more than {TensorShape.MaxRank} dimensions");
        string[] numbers = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        long[] dimensions = [.. numbers.Select(number => long.TryParse(number.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out long d)
            ? d
            : throw new InvalidDataException($"has the dimension '{number}'"))];
        return TensorShape.TryCountElements(dimensions, out _)
            ? new TensorShape(dimensions)
            : throw new InvalidDataException("has more elements than can be counted");
    }
}
