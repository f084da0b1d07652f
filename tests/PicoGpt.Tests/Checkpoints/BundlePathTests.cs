using PicoGpt.Checkpoints;
using PicoGpt.Checkpoints.TensorFlow;
using Xunit;

namespace PicoGpt.Tests.Checkpoints;

public sealed class BundlePathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("model.ckpt")]
    [InlineData("model.ckpt.index")]
    [InlineData("model.ckpt.data-00000-of-00001")]
    [InlineData("checkpoint")]
    public void Folder_prefix_and_every_file_lead_to_the_checkpoint(string name)
    {
        Write("model.ckpt");
        Assert.Equal(_folder.File("model.ckpt"), OpenPrefix(name));
    }

    [Theory]
    [InlineData("model_checkpoint_path: \"model.ckpt\"")]
    [InlineData("model_checkpoint_path: 'model.ckpt'\r\nall_model_checkpoint_paths: 'other'\r\n")]
    [InlineData("all_model_checkpoint_paths: \"other\" model_checkpoint_path:\"model.ckpt\"")]
    [InlineData("\uFEFFmodel_checkpoint_path: \"./model.ckpt\"")]
    [InlineData("model_checkpoint_path: \"/content/gone/run1/model.ckpt\"")]
    [InlineData("model_checkpoint_path: \"C:\\\\gone\\\\run1\\\\model.ckpt\"")]
    [InlineData("model_checkpoint_path: \"C:\\gone\\run1\\model.ckpt\"")]
    [InlineData("model_checkpoint_path: \"\\\\\\\\server\\\\share\\\\model.ckpt\"")]
    [InlineData("model_checkpoint_path: \"gone/model.ckpt\"")]
    [InlineData("model_checkpoint_path: \"m\\157\\x64el.ckpt\"")]
    public void Checkpoint_file_is_read_in_every_spelling(string text)
    {
        Write("model.ckpt");
        Write("other");
        File.WriteAllText(_folder.File("checkpoint"), text);
        Assert.Equal(_folder.File("model.ckpt"), OpenPrefix(""));
    }

    // On Windows both would make the machine call another; what they are here are odd names beside the file.
    [Theory]
    [InlineData(@"\\server\share\model.ckpt")]
    [InlineData(@"\??\UNC\server\share\model.ckpt")]
    [InlineData(@"\\.\pipe\model.ckpt")]
    public void Checkpoint_file_calls_no_other_machine(string named)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no such file name");
        Write("model.ckpt");
        Write(named);
        File.WriteAllText(_folder.File("checkpoint"), CheckpointState.Format(named));
        Assert.Equal(_folder.File("model.ckpt"), OpenPrefix(""));
    }

    [Fact]
    public void Checkpoint_file_may_name_a_subfolder_with_either_separator()
    {
        Write(Path.Combine("run1", "model.ckpt"));
        foreach (string named in new[] { "run1/model.ckpt", @"run1\\model.ckpt" })
        {
            File.WriteAllText(_folder.File("checkpoint"), $"model_checkpoint_path: \"{named}\"");
            Assert.Equal(_folder.File(Path.Combine("run1", "model.ckpt")), OpenPrefix(""));
        }
    }

    [Fact]
    public void Checkpoint_file_round_trips_names_that_need_escapes()
    {
        const string Name = "a\\b\"c'é";
        File.WriteAllText(_folder.File("checkpoint"), CheckpointState.Format(Name));
        Assert.Equal(Name, CheckpointState.ReadModelCheckpointPath(_folder.File("checkpoint")));
    }

    [Fact]
    public void Only_index_of_a_folder_is_found_without_checkpoint_file()
    {
        Write("variables", writeCheckpointFile: false);
        Assert.Equal(_folder.File("variables"), OpenPrefix(""));
    }

    [Fact]
    public void Several_indexes_without_checkpoint_file_are_named()
    {
        Write("a", writeCheckpointFile: false);
        Write("b", writeCheckpointFile: false);
        AssertRefused("", Gpt2Error.FileNotFound, "'a', 'b'");
    }

    [Fact]
    public void Empty_folder_and_missing_path_are_named()
    {
        AssertRefused("", Gpt2Error.FileNotFound, "neither a file named 'checkpoint' nor one that ends in '.index'");
        AssertRefused("model.ckpt", Gpt2Error.FileNotFound, "model.ckpt.index' is missing");
        AssertRefused("nowhere/model.ckpt.index", Gpt2Error.FileNotFound, "model.ckpt.index' is missing");
    }

    [Fact]
    public void Checkpoint_file_that_names_nothing_there_tells_what_is_there()
    {
        Write("model-2000", writeCheckpointFile: false);
        File.WriteAllText(_folder.File("checkpoint"), "model_checkpoint_path: \"model-1000\"");
        AssertRefused("", Gpt2Error.FileNotFound, "'model-1000.index' is missing; its folder has 'model-2000'");
    }

    [Fact]
    public void A_missing_index_is_asked_for()
    {
        File.WriteAllText(_folder.File("checkpoint"), "model_checkpoint_path: \"model-1000\"");
        AssertRefused("", Gpt2Error.FileNotFound, "'model-1000.index' is missing; copy or download it too.");
    }

    [Fact]
    public void Checkpoint_file_without_a_path_is_refused()
    {
        File.WriteAllText(_folder.File("checkpoint"), "all_model_checkpoint_paths: \"model.ckpt\"");
        AssertRefused("", Gpt2Error.NotAFormat, "names no checkpoint");
    }

    [Fact]
    public void Meta_graph_and_other_files_are_refused_by_name()
    {
        Write("model.ckpt");
        File.WriteAllText(_folder.File("model.ckpt.meta"), "graph");
        File.WriteAllText(_folder.File("encoder.json"), "{}");
        AssertRefused("model.ckpt.meta", Gpt2Error.NotAFormat, "holds a TensorFlow graph, not weights; give the folder or");
        AssertRefused("encoder.json", Gpt2Error.NotAFormat, "is not a file of a TensorFlow checkpoint");
    }

    [Fact]
    public void Renamed_index_is_recognized()
    {
        Write("model.ckpt");
        File.Move(_folder.File("model.ckpt.index"), _folder.File("model.bin"));
        AssertRefused("model.bin", Gpt2Error.NotAFormat, "index under another name");
    }

    [Fact]
    public void First_format_is_recognized()
    {
        using (FileStream file = File.Create(_folder.File("model.ckpt")))
        {
            var table = new SortedTableWriter(file, new TensorBundleWriterOptions());
            table.Add([], [0x0a, 0x02, 0x0a, 0x00]); // SavedTensorSlices { meta { tensor {} } }
            table.Finish();
        }

        AssertRefused("model.ckpt", Gpt2Error.Unsupported, "TensorFlow's first format");
    }

    private void Write(string prefix, bool writeCheckpointFile = true)
    {
        var options = new TensorBundleWriterOptions { WriteCheckpointFile = writeCheckpointFile };
        using var writer = new TensorBundleWriter(_folder.File(prefix), options);
        writer.AddFloats("x", new TensorShape(2), [1, 2]);
        writer.Finish();
    }

    private string OpenPrefix(string name)
    {
        using TensorBundle bundle = TensorBundle.Open(_folder.File(name));
        return bundle.Prefix;
    }

    private void AssertRefused(string name, Gpt2Error kind, string words)
    {
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => TensorBundle.Open(_folder.File(name)));
        Assert.Equal(kind, fault.Error);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }
}
