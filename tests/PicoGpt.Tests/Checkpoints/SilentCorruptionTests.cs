using PicoGpt.Architecture;
using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Fuzz;
using PicoGpt.Store;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

/// <summary>No bit of a checkpoint can change without being noticed: no byte of it is outside a checksum, but the footer's.</summary>
public sealed class SilentCorruptionTests : IDisposable
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 2, NCtx: 2, NEmbd: 1, NHead: 1, NLayer: 1);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_flipped_bit_of_a_checkpoint_with_all_there_can_be_is_noticed_when_it_is_verified()
    {
        ToyCheckpoint.Write(_folder.Path);
        VerifyCheckpoint();
        foreach (string file in ToyCheckpoint.Shards.Prepend(ToyCheckpoint.Index))
            ForEachFlippedBit(file, bit => Assert.True(IsRefused(VerifyCheckpoint), $"Bit {bit} of {file} may change unseen."));
    }

    [Fact]
    public void Every_flipped_bit_of_a_model_is_noticed_when_it_is_tested_and_when_its_weights_are_read()
    {
        WriteModel();
        ReadModel();
        var model = new CatalogModel("toy", [], Shape, Files: []);
        Assert.True(IsValid());
        foreach (string file in new[] { ToyModel.Index, ToyModel.Data })
        {
            ForEachFlippedBit(file, bit =>
            {
                Assert.True(IsRefused(ReadModel), $"Bit {bit} of {file} may change unseen by who reads the weights.");
                Assert.False(IsValid(), $"Bit {bit} of {file} may change unseen by the test.");
            });
        }

        bool IsValid() => ModelChecker.Check(_folder.Path, model, progress: null, CancellationToken.None).All(check => check.IsValid);
    }

    private static bool IsRefused(Action read)
    {
        try
        {
            read();
            return false;
        }
        catch (Gpt2Exception)
        {
            return true;
        }
    }

    private void VerifyCheckpoint()
    {
        using TensorBundle bundle = TensorBundle.Open(_folder.File("m"));
        bundle.EnsureComplete();
        foreach (TensorEntry entry in bundle.Entries) bundle.Verify(entry);
    }

    // as a computation does before its first token
    private void ReadModel()
    {
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        foreach (Gpt2Weight weight in model.Parameters) _ = weight.Values;
    }

    private void WriteModel()
    {
        Shape.Save(_folder.File(Gpt2HyperParameters.FileName));
        using var writer = new TensorBundleWriter(_folder.File("model.ckpt"));
        float next = 0.1f;
        foreach (Gpt2Leaf leaf in Gpt2Architecture.Leaves(Shape))
        {
            var tensor = new TensorShape([.. leaf.Shape.Select(length => (long)length)]);
            float[] values = [.. Enumerable.Range(0, (int)tensor.ElementCount).Select(_ => next += 0.1f)];
            writer.AddFloats(WeightNaming.TensorFlow.Of(leaf.Name), tensor, values);
        }

        writer.Finish();
    }

    private void ForEachFlippedBit(string name, Action<int> look)
    {
        string path = _folder.File(name);
        byte[] bytes = File.ReadAllBytes(path);
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(path, bytes);
            look(bit);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        File.WriteAllBytes(path, bytes);
    }
}
