using PicoGpt.Store;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class ModelStoreTests
{
    [Theory]
    [InlineData("124M", "124M")]
    [InlineData("124m", "124M")]
    [InlineData("gpt2", "124M")]
    [InlineData("117M", "124M")]
    [InlineData("GPT2-Medium", "355M")]
    [InlineData("345M", "355M")]
    [InlineData("gpt2-large", "774M")]
    [InlineData("gpt2-xl", "1558M")]
    [InlineData("1.5B", "1558M")]
    public void A_model_is_known_by_the_names_people_use(string name, string model)
    {
        Assert.True(ModelCatalog.TryResolve(name, out CatalogModel? found));
        Assert.Equal(model, found.Name);
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_names_there_are()
    {
        using var folder = new TemporaryFolder();
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => new ModelStore(folder.Path).Open("744M", folder.File("744M")));
        Assert.Equal(Gpt2Error.UnknownModel, fault.Error);
        Assert.Contains("774M", fault.Message, StringComparison.Ordinal);
        Assert.Contains("1.5B", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_is_not_here_is_refused_with_where_it_was_sought_and_whence_it_comes()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => store.Open("124M", folder.File("124M")));
        Assert.Equal(Gpt2Error.ModelNotCached, fault.Error);
        Assert.Contains(folder.File("124M"), fault.Message, StringComparison.Ordinal);
        Assert.Contains("https://openaipublic.blob.core.windows.net/gpt-2/models/124M/", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_built_in_model_opens_by_name()
    {
        using var folder = new TemporaryFolder();
        using Gpt2Model model = new ModelStore(folder.Path).Open("3m", "3m");
        Assert.Equal("3M", model.Name);
        Assert.True(ModelCatalog.TryResolve("3M", out CatalogModel? entry));
        Assert.Equal(entry.HyperParameters, model.HyperParameters);
    }

    [Fact]
    public void A_path_opens_where_it_is_no_name()
    {
        using var folder = new TemporaryFolder();
        RandomModel.Write(folder.File("mine"), new Gpt2HyperParameters(300, 32, 64, 1, 1));
        using Gpt2Model model = new ModelStore(folder.Path).Open("mine", folder.File("mine"));
        Assert.Equal("mine", model.Name);
    }

    [Fact]
    public void States_tell_what_is_here()
    {
        using var folder = new TemporaryFolder();
        var store = new ModelStore(folder.Path);
        Assert.True(ModelCatalog.TryResolve("124M", out CatalogModel? model));
        Assert.Equal(ModelState.NotFetched, store.Describe(model).State);
        Directory.CreateDirectory(folder.File("124M"));
        File.WriteAllText(folder.File("124M/checkpoint"), "seven");
        Assert.Equal(ModelState.Partial, store.Describe(model).State);
        Assert.Equal(5, store.Describe(model).SizeOnDisk);
        foreach (CatalogFile file in model.Files) File.WriteAllText(Path.Combine(folder.File("124M"), file.Name), "x");
        Assert.Equal(ModelState.Cached, store.Describe(model).State);
        Assert.Equal(ModelState.BuiltIn, store.List().Single(m => m.Name == "3M").State);
    }
}
