using PicoGpt.Exporting;
using Xunit;

namespace PicoGpt.Tests.Weights;

/// <summary>What a model that was opened by a path is called, and whether its vocabulary is its own.</summary>
public sealed class ModelNameTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_with_a_name_of_its_own_is_called_by_it_and_all_else_by_the_folder()
    {
        using Gpt2Model model = BuiltInModel.Open();
        foreach (string file in (string[])["tales.Q8_0.gguf", "model.gguf"]) ModelExport.Plan(model, _folder.File("all/" + file), "Gguf").Run();
        ModelExport.Plan(model, _folder.File("one/tales.gguf"), "Gguf").Run();
        Assert.Equal("tales.Q8_0", NameOf("all/tales.Q8_0.gguf"));
        Assert.Equal("all", NameOf("all/model.gguf"));
        Assert.Equal("one", NameOf("one"));
        Assert.Equal("tales.Q8_0", FolderChecker.Check(_folder.File("all/tales.Q8_0.gguf"), null, default).First().Model);
    }

    [Theory]
    [InlineData("models--me--tiny/snapshots/5f91d94", "tiny")]
    [InlineData("models--gpt2/snapshots/main", "gpt2")]
    [InlineData("snapshots/5f91d94", "5f91d94")]
    [InlineData("models--me--tiny/other/5f91d94", "5f91d94")]
    public void A_folder_of_Hugging_Face_s_cache_has_the_models_name(string folder, string name)
    {
        using Gpt2Model model = BuiltInModel.Open();
        ModelExport.Plan(model, _folder.File(folder), "Safetensors").Run();
        Assert.Equal(name, NameOf(folder));
    }

    [Theory]
    [InlineData(2831, "has 2048 tokens, but the model has 2831; it is another model's vocabulary, or a part of one.")]
    [InlineData(2730, null)] // a quarter of the rows is padding at most
    [InlineData(2047, "has ids up to 2047, but the model has 2047 tokens; it is another model's vocabulary.")]
    public void A_vocabulary_of_another_size_is_told_and_padding_is_none(int rows, string? said)
    {
        using Gpt2Model model = BuiltInModel.Open();
        string? doubt = VocabularyFit.DoubtOf(model.Encoder, rows);
        if (said is null) Assert.Null(doubt);
        else Assert.Contains(said, doubt);
    }

    private string NameOf(string path)
    {
        using Gpt2Model model = Gpt2Model.Open(_folder.File(path));
        return model.Name;
    }
}
