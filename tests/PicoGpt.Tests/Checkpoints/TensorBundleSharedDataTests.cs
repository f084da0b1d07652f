using System.Globalization;
using System.Text;
using System.Text.Json;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

/// <summary>Checkpoints that TensorFlow wrote, as their authors published them.</summary>
public class TensorBundleSharedDataTests
{
    private const string Toy = "checkpoints/gpt2-toy-keras-gpt-2";

    [Fact]
    public void Toy_tensors_have_the_known_shapes_values_and_checksums()
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path(Toy));
        using JsonDocument expected = ReadJson(Toy + "/tensors.json");
        Assert.Equal(expected.RootElement.EnumerateObject().Count(), bundle.Entries.Count);
        foreach (JsonProperty tensor in expected.RootElement.EnumerateObject())
        {
            TensorEntry entry = bundle.GetEntry(tensor.Name);
            ReadOnlySpan<float> values = bundle.GetFloats(entry).Span;
            double sum = 0;
            foreach (float value in values)
                sum += value;

            Assert.Equal(ReadShape(tensor.Value), entry.Shape);
            Assert.Equal(ReadHex(tensor.Value, "masked_crc32c"), entry.MaskedCrc32C);
            Assert.Equal(tensor.Value.GetProperty("first4").EnumerateArray().Select(v => v.GetSingle()), values[..4].ToArray());
            Assert.Equal(tensor.Value.GetProperty("sum_float64").GetDouble(), sum, 1e-9);
        }

        bundle.EnsureComplete();
        bundle.VerifyAll();
    }

    [Theory]
    [InlineData("124M")]
    [InlineData("355M")]
    [InlineData("1558M")]
    public void Official_indexes_list_every_tensor_as_known(string model)
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path($"checkpoints/openai-{model}-index"));
        using JsonDocument expected = ReadJson("official/official_tensor_crc32c.json");
        JsonElement tensors = expected.RootElement.GetProperty(model);
        Assert.Equal(tensors.EnumerateObject().Count(), bundle.Entries.Count);
        foreach (JsonProperty tensor in tensors.EnumerateObject())
        {
            TensorEntry entry = bundle.GetEntry(tensor.Name);
            Assert.Equal(TensorDType.Float32, entry.DType);
            Assert.Equal(ReadShape(tensor.Value), entry.Shape);
            Assert.Equal(tensor.Value.GetProperty("offset").GetInt64(), entry.Offset);
            Assert.Equal(tensor.Value.GetProperty("size").GetInt64(), entry.Size);
            Assert.Equal(ReadHex(tensor.Value, "masked_crc32c"), entry.MaskedCrc32C);
            Assert.Equal(ReadHex(tensor.Value, "crc32c"), entry.Crc32C);
        }
    }

    [Fact]
    public void Index_without_data_lists_but_names_the_missing_file()
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path("checkpoints/openai-124M-index"));
        Gpt2Exception early = Assert.Throws<Gpt2Exception>(() => bundle.EnsureComplete());
        Gpt2Exception late = Assert.Throws<Gpt2Exception>(() => bundle.GetBytes(bundle.Entries[0]));
        Assert.Equal(Gpt2Error.FileNotFound, early.Error);
        Assert.Contains("model.ckpt.data-00000-of-00001' is missing", early.Message, StringComparison.Ordinal);
        Assert.Equal(early.Message, late.Message);
    }

    [Fact]
    public void Truncated_data_file_names_tensor_and_byte_counts()
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path("checkpoints/openai-124M-truncated"));
        bundle.Verify(bundle.GetEntry("model/h0/attn/c_attn/b"));

        TensorEntry cut = bundle.GetEntry("model/h0/attn/c_attn/w");
        Action[] uses = [() => bundle.EnsureComplete(), () => bundle.GetBytes(cut), () => bundle.GetFloats(cut), () => bundle.Verify(cut)];
        foreach (Action use in uses)
        {
            Gpt2Exception fault = Assert.Throws<Gpt2Exception>(use);
            Assert.Equal(Gpt2Error.Truncated, fault.Error);
            Assert.Equal(bundle.GetShardPath(0), fault.Path);
            Assert.Contains("'model/h0/attn/c_attn/w' should have 7077888 bytes", fault.Message, StringComparison.Ordinal);
            Assert.Contains("3136512 are there", fault.Message, StringComparison.Ordinal);
            Assert.Contains("3145728 bytes of 497759232", fault.Message, StringComparison.Ordinal);
        }

        Assert.Equal([true, false], bundle.CheckAll().Take(2).Select(check => check.IsValid));
    }

    [Theory]
    [InlineData("saved_model_half_plus_two_2_versions", "")]
    [InlineData("saved_model_half_plus_two_tf2_cpu", "/.ATTRIBUTES/VARIABLE_VALUE")]
    public void Half_plus_two_has_its_three_numbers(string folder, string suffix)
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path("checkpoints/serving/" + folder));
        bundle.VerifyAll();
        Assert.Equal(0.5f, Read("a"));
        Assert.Equal(2f, Read("b"));
        Assert.Equal(3f, Read("c"));

        float Read(string name) => Assert.Single(bundle.ReadArray<float>(bundle.GetEntry(name + suffix)));
    }

    [Fact]
    public void Yggdrasil_reads_bool_string_and_int64()
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path("checkpoints/yggdrasil/adult_gbdt"));
        bundle.VerifyAll();
        byte[] graph = Assert.Single(bundle.ReadStrings(bundle.GetEntry("_CHECKPOINTABLE_OBJECT_GRAPH")));
        Assert.Contains("is_trained", Encoding.UTF8.GetString(graph), StringComparison.Ordinal);
        Assert.Equal([true], bundle.ReadArray<bool>(Find(TensorDType.Bool)));
        Assert.Equal([0L], bundle.ReadArray<long>(Find(TensorDType.Int64)));
        Assert.Equal(0.001f, bundle.GetFloats(Find(TensorDType.Float32)).Span[0]);

        TensorEntry Find(TensorDType dtype) => bundle.Entries.Single(entry => entry.DType == dtype);
    }

    [Fact]
    public void Two_shards_verify_and_read()
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path("checkpoints/tensor2tensor/transformer_test_ckpt"));
        Assert.Equal(2, bundle.ShardCount);
        Assert.Equal(250, bundle.Entries.Count);
        Assert.Equal([0, 1], bundle.Entries.Select(entry => entry.ShardId).Distinct().Order());
        bundle.EnsureComplete();
        bundle.VerifyAll();
    }

    [Fact]
    public void Snappy_index_of_333_entries_lists()
    {
        using TensorBundle bundle = TensorBundle.Open(SharedData.Path("checkpoints/swift-models/minigo.index"));
        Assert.Equal(333, bundle.Entries.Count);
        Assert.Equal(TensorDType.Int64, bundle.GetEntry("global_step").DType);
        Assert.Equal(bundle.Entries.Select(e => e.Name).Order(StringComparer.Ordinal), bundle.Entries.Select(e => e.Name));
    }

    [Theory]
    [InlineData("checkpoints/lfs-pointers/mypitchfork")]
    [InlineData("checkpoints/lfs-pointers/openai-355M")]
    [InlineData("checkpoints/lfs-pointers/openai-355M/model.ckpt.index")]
    public void Lfs_pointer_is_called_what_it_is(string path)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(SharedData.Path(path)));
        Assert.Equal(Gpt2Error.LfsPointer, fault.Error);
        Assert.EndsWith(".index", fault.Path, StringComparison.Ordinal);
        Assert.Contains("git lfs pull", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("azure-BlobNotFound.xml", "BlobNotFound")]
    [InlineData("gcs-NoSuchBucket.xml", "NoSuchBucket")]
    public void Server_answer_is_called_what_it_is(string name, string quoted)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(
            () => TensorBundle.Open(SharedData.Path("checkpoints/failure-bodies/" + name)));
        Assert.Equal(Gpt2Error.ErrorBody, fault.Error);
        Assert.Contains(quoted, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("checkpoint")]
    [InlineData("model.ckpt.index")]
    [InlineData("model.ckpt.data-00000-of-00001")]
    public void Foreign_body_in_any_file_is_called_what_it_is(string name)
    {
        using var folder = new TemporaryFolder();
        foreach (string file in new[] { "checkpoint", "model.ckpt.index", "model.ckpt.data-00000-of-00001" })
        {
            string source = file == name ? "checkpoints/failure-bodies/azure-BlobNotFound.xml" : $"{Toy}/{file}";
            File.WriteAllBytes(folder.File(file), File.ReadAllBytes(SharedData.Path(source)));
        }

        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() =>
        {
            using TensorBundle bundle = TensorBundle.Open(folder.Path);
            bundle.EnsureComplete();
        });
        Assert.Equal(Gpt2Error.ErrorBody, fault.Error);
        Assert.Equal(folder.File(name), fault.Path);
    }

    private static JsonDocument ReadJson(string path) => JsonDocument.Parse(File.ReadAllText(SharedData.Path(path)));

    private static TensorShape ReadShape(JsonElement tensor) =>
        new([.. tensor.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())]);

    private static uint ReadHex(JsonElement tensor, string property) =>
        uint.Parse(tensor.GetProperty(property).GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
