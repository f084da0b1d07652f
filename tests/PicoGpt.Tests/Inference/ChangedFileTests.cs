using System.Diagnostics;
using System.Runtime.CompilerServices;
using PicoGpt.Checkpoints.TensorFlow;
using PicoGpt.Exporting;
using PicoGpt.Files;
using PicoGpt.Inference;
using PicoGpt.Measuring;
using PicoGpt.Numerics;
using PicoGpt.Tests.Store;
using Xunit;

namespace PicoGpt.Tests.Inference;

/// <summary>What becomes of a model whose files change while it is open. Where the process might end, one of its own runs it.</summary>
public sealed class ChangedFileTests : IDisposable
{
    // Without anybody to give the lease back, the system would have a writer wait for 45 seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private static readonly GenerationOptions Options = new() { MaxTokens = 5, Threads = 1 };

    private readonly TemporaryFolder _folder = new();

    public ChangedFileTests()
    {
        foreach (string file in Directory.EnumerateFiles(BuiltInModel.Folder)) File.Copy(file, _folder.File(Path.GetFileName(file)));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Data => _folder.File("model.ckpt.data-00000-of-00001");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_that_is_cut_short_ends_the_generation_with_a_sentence_and_not_the_process()
    {
        SkipWithoutLeases();
        using Process child = ChildGeneration.Start(_folder.Path);
        Assert.NotNull(await child.StandardOutput.ReadLineAsync(Cancellation));
        Task cut = Overwrite();
        string output = await child.StandardOutput.ReadToEndAsync(Cancellation).WaitAsync(Patience, Cancellation);
        await cut.WaitAsync(Patience, Cancellation);
        await child.WaitForExitAsync(Cancellation);
        Assert.Equal(0, child.ExitCode);
        string sentence = $"The file '{Data}' is being overwritten by another program";
        Assert.Contains(ChildGeneration.End + sentence, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_deleted_or_replaced_is_read_on_as_it_was(bool isReplaced)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets nobody delete a mapped file.");
        using Process child = ChildGeneration.Start(_folder.Path);
        string? before = await child.StandardOutput.ReadLineAsync(Cancellation);
        File.Delete(Data);
        if (isReplaced) await File.WriteAllBytesAsync(Data, new byte[100], Cancellation);
        for (int i = 0; i < 5; i++) Assert.Equal(before, await child.StandardOutput.ReadLineAsync(Cancellation));
        child.Kill();
        await child.WaitForExitAsync(Cancellation);
    }

    [Fact]
    public async Task Of_a_file_that_somebody_has_open_for_writing_a_copy_is_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets nobody map a file that is open for writing.");
        using FileStream writer = new(Data, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using Process child = ChildGeneration.Start(_folder.Path);
        string? before = await child.StandardOutput.ReadLineAsync(Cancellation);
        Assert.False(string.IsNullOrEmpty(before));
        writer.SetLength(0);
        for (int i = 0; i < 5; i++) Assert.Equal(before, await child.StandardOutput.ReadLineAsync(Cancellation));
        child.Kill();
        await child.WaitForExitAsync(Cancellation);
    }

    [Fact]
    public void A_file_that_is_cut_short_before_all_of_it_was_copied_is_refused_with_a_sentence()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets nobody map a file that is open for writing.");
        using FileStream writer = new(Data, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        float[] wpe = model.Parameters.Wpe.ToArray();
        writer.SetLength(writer.Length - 1);
        AssertChanged(() => TextGeneration.Run(model, "Once", Options));
        Assert.Equal(wpe, model.Parameters.Wpe.ToArray());
    }

    [Fact]
    public async Task A_program_of_the_same_process_can_overwrite_the_file_of_an_idle_model()
    {
        SkipWithoutLeases();
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        _ = TextGeneration.Run(model, "Once", Options);
        await Overwrite().WaitAsync(Patience, Cancellation);
        AssertChanged(() => TextGeneration.Run(model, "Once", Options));
        AssertChanged(() => TextMeasurer.Measure(model, "Once", cancellationToken: Cancellation));
        AssertChanged(() => _ = model.Parameters.Wpe.ToArray());
        AssertChanged(() => _ = model.Parameters.Wpe.Statistics);
        AssertChanged(() => ModelExport.Plan(model, _folder.File("out.npz"), "Npz").Run(overwrite: true));
        Assert.False(File.Exists(_folder.File("out.npz")));
    }

    // Ends when the file is overwritten, however fast the machine is.
    private static GenerationOptions Endless =>
        Options with { MaxTokens = 1_000_000, Overflow = ContextOverflow.Slide, IgnoreEndOfText = true, Speculation = false };

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Texts_under_way_are_given_out_as_far_as_they_came_when_a_file_is_overwritten(bool resident, bool guessed)
    {
        SkipWithoutLeases();
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        using var generator = new BatchGenerator(model, Endless with { Resident = resident, Speculation = guessed, AlwaysShadow = guessed }, 2);
        using var measurer = new TextMeasurer(model, batchSize: 1);
        measurer.Add("Once");
        string[] prompts = ["Once", "The king", "A"];
        foreach (string prompt in prompts) generator.Add(prompt);
        for (int i = 0; i < 3; i++) Assert.Empty(generator.Advance(Cancellation));
        Task overwriting = Overwrite();
        List<Gpt2Completion> completions = [];
        while (!generator.IsEmpty) completions.AddRange(generator.Advance(Cancellation));
        Gpt2TextMeasure measure = Assert.Single(measurer.Advance(Cancellation));
        generator.Dispose();
        measurer.Dispose();
        await overwriting.WaitAsync(Patience, Cancellation);
        Assert.Equal(prompts, completions.Select(completion => completion.Prompt));
        Assert.All(completions, completion => Assert.Equal(Gpt2Error.FileChanged, Assert.IsType<Gpt2Exception>(completion.Fault).Error));
        Assert.All(completions[..2], completion => Assert.True(completion.Ids.Count >= 3));
        Assert.All(completions, AssertAsPlain);
        Assert.Equal(guessed, completions[0].ShadowDrafted > 0);
        Assert.Equal(Gpt2Error.FileChanged, Assert.IsType<Gpt2Exception>(measure.Fault).Error);
        Assert.Null(measure.Tokens[0].LogProbability);
    }

    [Fact]
    public async Task A_shadow_whose_file_is_overwritten_ends_its_guesses_and_no_text()
    {
        SkipWithoutLeases();
        using Gpt2Model model = BuiltInModel.Open(), other = Gpt2Model.Open(_folder.Path);
        using var workspace = new Workspace(model.HyperParameters, threads: 1, Kernels.Best);
        using var driver = new TextDriver<GeneratedText>(new Gpt2Forward(model, workspace), batchSize: 1, Choose) { Account = new GuessAccount(new PassCost(isMeasured: false)) };
        driver.Shadow = new Shadow(new Gpt2Forward(other, workspace), driver.Account, usualCost: 0.4);
        GeneratedText text = Assert.Single(GeneratedText.Of(model, Prompt.Of(model, "Once", allowSpecial: false), Endless with { Speculation = true }));
        driver.Add(text);
        for (int i = 0; i < 3; i++) Assert.Empty(driver.Advance(Cancellation));
        Task overwriting = Overwrite();
        while (driver.Shadow is not null) Assert.Empty(driver.Advance(Cancellation));
        await overwriting.WaitAsync(Patience, Cancellation);
        int guessed = text.Completions[0].ShadowDrafted;
        Assert.NotEqual(0, guessed);
        for (int i = 0; i < 20; i++) Assert.Empty(driver.Advance(Cancellation));
        Assert.Equal(guessed, text.Completions[0].ShadowDrafted);
        AssertAsPlain(text.Completions[0]);

        static void Choose(ReadOnlySpan<GeneratedText> texts, Matrix logits)
        {
            for (int i = 0; i < texts.Length; i++)
            {
                if (texts[i].WantsLogits) texts[i].Take(logits.Row(i));
            }
        }
    }

    [Fact]
    public async Task A_file_can_be_copied_over_that_of_an_idle_model()
    {
        SkipWithoutLeases();
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        _ = TextGeneration.Run(model, "Once", Options);
        string other = _folder.File("hparams.json");
        await Task.Run(() => File.Copy(other, Data, overwrite: true), Cancellation).WaitAsync(Patience, Cancellation); // it takes a lock, too
        Assert.Equal(await File.ReadAllBytesAsync(other, Cancellation), await File.ReadAllBytesAsync(Data, Cancellation));
        AssertChanged(() => TextGeneration.Run(model, "Once", Options));
    }

    [Fact]
    public async Task Who_reads_a_file_sees_without_any_help_that_somebody_waits_for_it()
    {
        SkipWithoutLeases();
        Task overwriting;
        using (var file = new MappedFile(Data))
        {
            overwriting = Overwrite();
            await Eventually.Is(() => IsChanged(file));
            Assert.False(overwriting.IsCompleted);
        }

        await overwriting.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task Who_is_refused_the_memory_keeps_no_hold_on_the_file()
    {
        SkipWithoutLeases();
        TensorBundle bundle = TensorBundle.Open(_folder.Path);
        ReadOnlyMemory<float> values = bundle.GetFloats(bundle.GetEntry("model/wpe"));
        await Overwrite().WaitAsync(Patience, Cancellation);
        AssertChanged(() => values.Pin());
        bundle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => bundle.Hold());
    }

    [Fact]
    public async Task A_forgotten_checkpoint_does_not_have_writers_wait()
    {
        SkipWithoutLeases();
        OpenAndForget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        await Overwrite().WaitAsync(Patience, Cancellation);

        [MethodImpl(MethodImplOptions.NoInlining)]
        void OpenAndForget()
        {
            TensorBundle bundle = TensorBundle.Open(_folder.Path);
            Assert.NotEqual(0, bundle.GetFloats(bundle.GetEntry("model/wpe")).Length);
        }
    }

    [Fact]
    public void A_model_over_whose_files_another_is_exported_runs_on()
    {
        using Gpt2Model model = Gpt2Model.Open(_folder.Path);
        string before = TextGeneration.Run(model, "Once", Options).Text;
        using (Gpt2Model other = BuiltInModel.Open())
            ModelExport.Plan(other, _folder.File("model.ckpt"), "TensorFlow").Run(overwrite: true);
        Assert.Equal(before, TextGeneration.Run(model, "Once", Options).Text);
        using Gpt2Model written = Gpt2Model.Open(_folder.Path);
        Assert.Equal(before, TextGeneration.Run(written, "Once", Options).Text);
    }

    private static void AssertAsPlain(Gpt2Completion completion)
    {
        using Gpt2Model unchanged = BuiltInModel.Open();
        GenerationOptions options = Endless with { MaxTokens = completion.Ids.Count };
        Assert.Equal(TextGeneration.Run(unchanged, completion.Prompt, options, Cancellation).Ids, completion.Ids);
    }

    private static bool IsChanged(MappedFile file)
    {
        try
        {
            file.ThrowIfChanged();
            return false;
        }
        catch (Gpt2Exception fault)
        {
            return fault.Error == Gpt2Error.FileChanged;
        }
    }

    private static void AssertChanged(Action action) => Assert.Equal(Gpt2Error.FileChanged, Assert.Throws<Gpt2Exception>(action).Error);

    // It has to wait until nobody reads the file any more.
    private Task Overwrite() => Task.Run(
        () =>
        {
            using FileStream file = new(Data, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(0);
        },
        Cancellation);

    private void SkipWithoutLeases()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets nobody change a mapped file; WindowsFileTests has what follows from that.");
        using FileStream file = File.OpenRead(Data);
        FileLease? lease = FileLease.TryTake(file.SafeFileHandle);
        Assert.SkipWhen(lease is null, "The system protects no mapping of this folder's files; they are copied instead.");
    }
}
