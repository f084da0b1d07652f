namespace PicoGpt.Checkpoints.TensorFlow;

/// <summary>How a field of a protocol buffer is laid out (protobuf encoding specification).</summary>
internal enum ProtoWireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}
