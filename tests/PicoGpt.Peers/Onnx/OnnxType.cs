namespace PicoGpt.Peers.Onnx;

/// <summary>The types of elements, by onnx.proto's <c>TensorProto.DataType</c>.</summary>
internal enum OnnxType
{
    Float32 = 1,
    UInt8 = 2,
    Int32 = 6,
    Int64 = 7,
}
