using System.Diagnostics;
using PicoGpt.Inference;
using PicoGpt.Store;
using PicoGpt.Tests.Inference;
using Xunit;

namespace PicoGpt.Tests.Store;

/// <summary>What becomes of a model of the cache that is removed while it runs, here or in another process.</summary>
public sealed class RemovalTests : IDisposable
{
    private const string Prompt = "Once upon a time";

    private static readonly GenerationOptions Options = new() { MaxTokens = 8, Threads = 1 };

    private readonly TemporaryFolder _folder = new();

    private readonly ModelStore _store;

    private volatile bool _isRead;

    public RemovalTests()
    {
        _store = new ModelStore(_folder.Path);
        Put();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Model => _folder.File("Tiny");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Where_the_folder_vanished_before_a_byte_came_it_is_made_again()
    {
        using var part = new PartFile(_folder.File("gone/weights"));
        Assert.True(File.Exists(part.Path));
    }

    [Fact]
    public async Task Who_lists_a_model_while_it_is_put_there_and_removed_is_told_something_and_not_a_fault()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There a removed folder is in the way while somebody lists it; WindowsFileTests lists models that are fetched and removed.");
        using var stop = new CancellationTokenSource();
        Task listing = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested) Assert.True(Enum.IsDefined(_store.Describe(TestModel.Catalog).State));
            },
            Cancellation);
        try
        {
            for (int round = 0; round < 200; round++)
            {
                _store.Remove(TestModel.Catalog);
                Put();
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await listing;
    }

    [Theory]
    [InlineData(Gpt2Precision.Float32)]
    [InlineData(Gpt2Precision.Int8)]
    public async Task A_model_that_runs_is_not_removed_and_one_that_was_closed_meanwhile_is(Gpt2Precision precision)
    {
        for (int round = 0; round < 10; round++)
        {
            Gpt2Model model = _store.Open(TestModel.Catalog, precision);
            string expected = TextGeneration.Run(model, Prompt, Options).Text;
            using var running = new SemaphoreSlim(0);
            Task<int>[] generations = [.. Enumerable.Range(0, 3).Select(_ => OnItsOwn(() => RunUntilClosed(model, expected, running)))];
            for (int started = 0; started < generations.Length; started++) await running.WaitAsync(Cancellation);
            Assert.Equal(Gpt2Error.InUse, Assert.Throws<Gpt2Exception>(() => _store.Remove(TestModel.Catalog)).Error);
            TestModel.AssertWhole(Model);
            model.Dispose();
            _store.Remove(TestModel.Catalog);
            Assert.False(Directory.Exists(Model));
            Assert.All(await Task.WhenAll(generations), right => Assert.True(right > 0));
            Put();
        }
    }

    [Fact]
    public async Task A_model_that_runs_in_another_process_is_not_removed()
    {
        using Process child = ChildGeneration.Start(_folder.Path, TestModel.Catalog);
        string? expected = await child.StandardOutput.ReadLineAsync(Cancellation);
        Gpt2Exception fault = Assert.Throws<Gpt2Exception>(() => _store.Remove(TestModel.Catalog));
        Assert.Equal(Gpt2Error.InUse, fault.Error);
        Assert.Contains("is open in this session or another", fault.Message, StringComparison.Ordinal);
        TestModel.AssertWhole(Model);
        for (int i = 0; i < 20; i++) Assert.Equal(expected, await child.StandardOutput.ReadLineAsync(Cancellation));

        // The operating system closes what a process has open that dies.
        child.Kill();
        await child.WaitForExitAsync(Cancellation);
        _store.Remove(TestModel.Catalog);
        Assert.False(Directory.Exists(Model));
    }

    [Fact]
    public async Task Who_opens_a_model_while_it_is_removed_has_all_of_it_or_is_told_that_it_is_not_there()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows deletes no file that is still mapped.");
        string expected;
        using (Gpt2Model model = _store.Open(TestModel.Catalog)) expected = TextGeneration.Run(model, Prompt, Options).Text;
        using var end = new ManualResetEventSlim();
        Task<int>[] users = [.. Enumerable.Range(0, 2).Select(_ => OnItsOwn(() => Use(expected, end)))];
        int removed = 0;
        try
        {
            // Until both have happened, however busy the machine is.
            for (int round = 0; (round < 200 || removed == 0 || !_isRead) && !users.Any(user => user.IsFaulted); round++)
            {
                if (TryRemove()) removed++;
                if (!Directory.Exists(Model)) Put();
            }
        }
        finally
        {
            end.Set();
        }

        Assert.True((await Task.WhenAll(users)).Sum() > 0);
    }

    // In the pool, work that does not end for long would keep everything else from running.
    private static Task<T> OnItsOwn<T>(Func<T> work) =>
        Task.Factory.StartNew(work, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static int RunUntilClosed(Gpt2Model model, string expected, SemaphoreSlim running)
    {
        for (int right = 0; ; right++)
        {
            try
            {
                Assert.Equal(expected, TextGeneration.Run(model, Prompt, Options).Text);
                if (right == 0) running.Release();
            }
            catch (ObjectDisposedException)
            {
                return right;
            }
            catch
            {
                running.Release(); // the fault is seen at the end
                throw;
            }
        }
    }

    private int Use(string expected, ManualResetEventSlim end)
    {
        int right = 0;
        while (!end.IsSet)
        {
            try
            {
                using Gpt2Model model = _store.Open(TestModel.Catalog);
                Assert.Equal(expected, TextGeneration.Run(model, Prompt, Options).Text);
                right++;
                _isRead = true;
            }
            catch (Gpt2Exception fault) when (fault.Error is Gpt2Error.InUse or Gpt2Error.ModelNotCached or Gpt2Error.FileNotFound)
            {
                // Asked too early, or too late.
            }

            Thread.Sleep(2); // or else somebody has it open at every moment
        }

        return right;
    }

    private bool TryRemove()
    {
        try
        {
            _store.Remove(TestModel.Catalog);
            return true;
        }
        catch (Gpt2Exception fault) when (fault.Error is Gpt2Error.InUse)
        {
            return false;
        }
    }

    // The folder appears whole.
    private void Put()
    {
        string beside = _folder.File("beside");
        TestModel.WriteTo(beside);
        Directory.Move(beside, Model);
    }
}
