using PicoGpt.Architecture;
using PicoGpt.Inference;
using PicoGpt.Weights;
using Xunit;

namespace PicoGpt.Tests.Architecture;

public sealed class Gpt2TreeTests
{
    private static readonly Gpt2HyperParameters Shape = new(NVocab: 7, NCtx: 5, NEmbd: 2, NHead: 1, NLayer: 2);

    [Fact]
    public void The_tree_has_the_weights_of_a_GPT_2_in_the_order_in_which_they_are_used()
    {
        string[] block =
        [
            "ln_1/g [2]", "ln_1/b [2]", "attn/c_attn/w [2, 6]", "attn/c_attn/b [6]", "attn/c_proj/w [2, 2]", "attn/c_proj/b [2]",
            "ln_2/g [2]", "ln_2/b [2]", "mlp/c_fc/w [2, 8]", "mlp/c_fc/b [8]", "mlp/c_proj/w [8, 2]", "mlp/c_proj/b [2]",
        ];
        string[] expected = ["wte [7, 2]", "wpe [5, 2]", .. block.Select(line => "h0/" + line), .. block.Select(line => "h1/" + line), "ln_f/g [2]", "ln_f/b [2]"];
        Assert.Equal(expected, Gpt2Architecture.Leaves(Shape).Select(leaf => $"{leaf.Name} [{string.Join(", ", leaf.Shape)}]"));
    }

    [Fact]
    public void Every_leaf_stands_where_its_name_says()
    {
        var tree = new Gpt2Tree<string>(Shape, leaf => leaf.Name);
        Gpt2Block<string> block = tree.Blocks[1];
        Assert.Equal(("wte", "wpe", "ln_f/g", "ln_f/b"), (tree.Wte, tree.Wpe, tree.LnF.G, tree.LnF.B));
        Assert.Equal(("h1/ln_1/g", "h1/ln_1/b", "h1/ln_2/g", "h1/ln_2/b"), (block.Ln1.G, block.Ln1.B, block.Ln2.G, block.Ln2.B));
        Assert.Equal(("h1/attn/c_attn/w", "h1/attn/c_attn/b"), (block.Attn.CAttn.W, block.Attn.CAttn.B));
        Assert.Equal(("h1/attn/c_proj/w", "h1/attn/c_proj/b"), (block.Attn.CProj.W, block.Attn.CProj.B));
        Assert.Equal(("h1/mlp/c_fc/w", "h1/mlp/c_fc/b"), (block.Mlp.CFc.W, block.Mlp.CFc.B));
        Assert.Equal(("h1/mlp/c_proj/w", "h1/mlp/c_proj/b"), (block.Mlp.CProj.W, block.Mlp.CProj.B));
        Assert.Equal(Gpt2Architecture.Leaves(Shape).Select(leaf => leaf.Name), tree);
    }

    [Fact]
    public void A_tree_made_of_another_has_everything_in_its_place()
    {
        Gpt2Tree<int> lengths = new Gpt2Tree<string>(Shape, leaf => leaf.Name).Map(name => name.Length);
        Assert.Equal("h1/mlp/c_proj/b".Length, lengths.Blocks[1].Mlp.CProj.B);
        Assert.Equal(Gpt2Architecture.Leaves(Shape).Select(leaf => leaf.Name.Length), lengths);
    }

    [Fact]
    public void Counts_are_those_of_the_leaves_and_their_parts_add_up()
    {
        Gpt2HyperParameters h = Shape with { NLayer = 3 };
        Assert.Equal(Gpt2Architecture.Leaves(h).Sum(leaf => leaf.Count), h.ParameterCount);
        long outside = Gpt2Architecture.Leaves(h).Where(leaf => !leaf.IsInBlock).Sum(leaf => leaf.Count);
        Assert.Equal((7 * 2) + (5 * 2) + (2 * 2), outside);
        Assert.Equal(3 * ((4 * 2 * 2) + (6 * 2)), h.AttentionParameterCount);
        Assert.Equal(h.ParameterCount, outside + h.AttentionParameterCount + h.MlpParameterCount);
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32)]
    [InlineData(Gpt2Precision.Float16)]
    [InlineData(Gpt2Precision.Int4)]
    public void The_memory_need_is_that_of_what_is_pinned(Gpt2Precision precision)
    {
        using Gpt2Model model = BuiltInModel.Open();
        using var pinned = new PinnedParameters(model.Parameters, model.WithPrecision(precision).Pack(), adapter: null);
        long bytes = pinned.Tree.Sum(weight => weight.IsPacked
            ? weight.Packed.Panels * (long)weight.Packed.PanelSize
            : (long)weight.Plain.Rows * weight.Plain.Columns * sizeof(float));
        Assert.Equal(bytes, Gpt2MemoryNeed.Of(model.HyperParameters, precision).Weights);
        Assert.Equal(precision == Gpt2Precision.Float32 ? 0 : 1 + (4 * 6), pinned.Tree.Count(weight => weight.IsPacked));
    }
}
