using System.Globalization;
using System.Runtime.InteropServices;

namespace PicoGpt.Peers.Onnx;

/// <summary>
/// Writes a graph in the format of ONNX, node by node in the order in which they run; its weights go into a file of their own beside it. The
/// numbers of fields are those of onnx.proto.
/// </summary>
internal sealed class OnnxFile : IDisposable
{
    public const string Microsoft = "com.microsoft";

    private const int Alignment = 4096; // so that the weights can be mapped

    private readonly string _path;
    private readonly FileStream _weights;
    private readonly ProtoMessage _graph = new();
    private int _nodes;

    public OnnxFile(string path)
    {
        _path = path;
        _weights = File.Create(path + ".data");
    }

    /// <summary>Adds an input of the graph; a dimension is a number or a name.</summary>
    public string Input(string name, OnnxType type, params string[] shape)
    {
        _graph.Add(11, ValueInfo(name, type, shape));
        return name;
    }

    /// <summary>Names what a node gives as an output of the graph.</summary>
    public void Output(string name, OnnxType type, params string[] shape) => _graph.Add(12, ValueInfo(name, type, shape));

    /// <summary>Adds a constant of a few whole numbers; a vector, or a scalar where it is one number and <paramref name="isScalar"/>.</summary>
    public string Constant(OnnxType type, bool isScalar, params long[] values)
    {
        byte[] bytes = type == OnnxType.Int64 ? MemoryMarshal.AsBytes(values.AsSpan()).ToArray() : MemoryMarshal.AsBytes<int>([.. values.Select(value => (int)value)]).ToArray();
        string name = $"constant{_nodes++}";
        ProtoMessage tensor = Tensor(name, type, isScalar ? [] : [values.Length]);
        tensor.Add(9, bytes);
        _graph.Add(5, tensor);
        return name;
    }

    /// <summary>Adds a weight.</summary>
    public string Weight<T>(string name, OnnxType type, ReadOnlySpan<T> values, params long[] shape)
        where T : unmanaged
    {
        _weights.Position = (_weights.Position + Alignment - 1) / Alignment * Alignment;
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        ProtoMessage tensor = Tensor(name, type, shape);
        tensor.Add(13, Entry("location", Path.GetFileName(_weights.Name)));
        tensor.Add(13, Entry("offset", _weights.Position.ToString(CultureInfo.InvariantCulture)));
        tensor.Add(13, Entry("length", bytes.Length.ToString(CultureInfo.InvariantCulture)));
        tensor.Add(14, 1L); // in the file of the weights
        _graph.Add(5, tensor);
        _weights.Write(bytes);
        return name;
    }

    /// <summary>Adds a node with one output.</summary>
    /// <param name="operation">The operator; after a colon of Microsoft's domain.</param>
    /// <param name="inputs">The names of its inputs; an empty one is left out.</param>
    /// <param name="attributes">Its attributes: whole numbers and floats.</param>
    /// <returns>The output's name.</returns>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes)
    {
        string output = $"{operation.TrimStart(':')}{_nodes++}";
        Node(operation, inputs, [output], attributes);
        return output;
    }

    /// <summary>Adds a node whose outputs have names.</summary>
    public void Node(string operation, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new ProtoMessage();
        foreach (string input in inputs) node.Add(1, input);
        foreach (string output in outputs) node.Add(2, output);
        node.Add(3, $"node{_nodes++}");
        node.Add(4, operation.TrimStart(':'));
        foreach ((string name, object value) in attributes) node.Add(5, Attribute(name, value));
        if (operation[0] == ':') node.Add(7, Microsoft);
        _graph.Add(1, node);
    }

    /// <summary>Writes the file.</summary>
    public void Save()
    {
        var model = new ProtoMessage();
        model.Add(1, 10L); // the version of the format
        model.Add(8, OperatorSet("", 20));
        model.Add(8, OperatorSet(Microsoft, 1));
        _graph.Add(2, "gpt2");
        model.Add(7, _graph);
        _weights.Flush();
        File.WriteAllBytes(_path, model.ToArray());
    }

    public void Dispose() => _weights.Dispose();

    private static ProtoMessage Tensor(string name, OnnxType type, long[] shape)
    {
        var tensor = new ProtoMessage();
        foreach (long length in shape) tensor.Add(1, length);
        tensor.Add(2, (long)type);
        tensor.Add(8, name);
        return tensor;
    }

    private static ProtoMessage Attribute(string name, object value)
    {
        var attribute = new ProtoMessage();
        attribute.Add(1, name);
        if (value is float number) attribute.Add(2, number);
        else attribute.Add(3, Convert.ToInt64(value, CultureInfo.InvariantCulture));
        attribute.Add(20, value is float ? 1L : 2L);
        return attribute;
    }

    private static ProtoMessage ValueInfo(string name, OnnxType type, string[] shape)
    {
        ProtoMessage dimensions = new(), tensor = new(), holder = new(), info = new();
        foreach (string length in shape)
        {
            var dimension = new ProtoMessage();
            if (long.TryParse(length, CultureInfo.InvariantCulture, out long number)) dimension.Add(1, number);
            else dimension.Add(2, length);
            dimensions.Add(1, dimension);
        }

        tensor.Add(1, (long)type);
        tensor.Add(2, dimensions);
        holder.Add(1, tensor);
        info.Add(1, name);
        info.Add(2, holder);
        return info;
    }

    private static ProtoMessage Entry(string key, string value)
    {
        var entry = new ProtoMessage();
        entry.Add(1, key);
        entry.Add(2, value);
        return entry;
    }

    private static ProtoMessage OperatorSet(string domain, long version)
    {
        var set = new ProtoMessage();
        set.Add(1, domain);
        set.Add(2, version);
        return set;
    }
}
