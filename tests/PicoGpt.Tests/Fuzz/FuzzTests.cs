using PicoGpt.Fuzz;
using SharpFuzz.Common;
using Xunit;

namespace PicoGpt.Tests.Fuzz;

/// <summary>Some cases of every target; <c>build.ps1 -Fuzz -Minutes 60</c> runs millions.</summary>
public sealed class FuzzTests
{
    private const int Cases = 400;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Hostile_files_end_in_a_right_answer_or_in_a_sentence(string name)
    {
        using var folder = new TemporaryFolder();
        FuzzTarget target = FuzzTargets.All[name](folder.Path);
        using (target as IDisposable)
        {
            var runner = new FuzzRunner(target);
            for (ulong number = 0; number < Cases; number++)
            {
                FuzzFind? find = runner.Run(number);
                Assert.True(find is null, $"{name}, case {number}: {find?.What}");
            }

            Assert.True(runner.Count.Read > 0, "Nothing was read: the mutants are all refused at the door.");
        }
    }

    [Theory]
    [InlineData("IndexOutOfRangeException")]
    [InlineData("another answer")]
    [InlineData("bytes beyond the file")]
    [InlineData("no sentence")]
    public void The_judge_sees_what_must_not_happen(string fault)
    {
        using var folder = new TemporaryFolder();
        FuzzFind? find = new FuzzRunner(new FaultyTarget(fault, folder.Path)).Run(1);
        Assert.Contains(fault, find?.What, StringComparison.Ordinal);
    }

    [Fact]
    public void The_branches_that_a_case_takes_lead_to_a_fault_that_chance_does_not_find()
    {
        using var folder = new TemporaryFolder();
        using var coverage = new CoverageMap();
        var guided = new GuidedFuzzing(new DeepTarget(folder.File("guided")), coverage);
        for (ulong number = 0; number < 40_000 && guided.Runner.Count.Finds.Count == 0; number++) guided.Run(number);
        FuzzFind find = Assert.Single(guided.Runner.Count.Finds);
        Assert.Contains("the bottom", find.What, StringComparison.Ordinal);
        Assert.All(find.Mutant.Files[0].Bytes[..DeepTarget.Depth], value => Assert.True(DeepTarget.IsRight(value)));

        var blind = new FuzzRunner(new DeepTarget(folder.File("blind")));
        for (ulong number = 0; number < 40_000; number++) Assert.Null(blind.Run(number));
    }

    [Fact]
    public void A_case_is_made_again_of_the_choices_that_were_taken()
    {
        var first = new Dice(7);
        int[] choices = [.. Enumerable.Range(0, 50).Select(i => first.Next(1 + i))];
        byte[] more = first.Bytes(20);
        var again = new Dice(first.Taken, seed: 99);
        Assert.Equal(choices, Enumerable.Range(0, 50).Select(i => again.Next(1 + i)));
        Assert.Equal(more, again.Bytes(20));
    }

    /// <summary>Counts its branches by hand, as the instrumented engine does: one more for each byte that is right.</summary>
    private sealed class DeepTarget : FuzzTarget
    {
        public const int Depth = 12;

        public DeepTarget(string root)
            : base("deep", root)
        {
            File.WriteAllBytes(Path.Combine(Folder, "file"), new byte[Depth]);
            Begin();
        }

        public static bool IsRight(byte value) => (value & 3) == 2;

        public override Mutant Mutate(Dice dice) => new([("file", ByteMutations.Change(Good("file"), dice))], IsCovered: false);

        public override unsafe string Read()
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(Folder, "file"));
            int right = 0;
            while (right < Depth && right < bytes.Length && IsRight(bytes[right]))
            {
                right++;
                if (Trace.SharedMem != null) Trace.SharedMem[100 + right]++;
            }

            return right < Depth ? "" : throw new InvalidOperationException("This is the bottom.");
        }
    }

    private sealed class FaultyTarget : FuzzTarget
    {
        private readonly string _fault;
        private bool _isGood = true;

        public FaultyTarget(string fault, string root)
            : base("faulty", root)
        {
            _fault = fault;
            File.WriteAllBytes(Path.Combine(Folder, "file"), [1]);
            Begin();
        }

        public override Mutant Mutate(Dice dice)
        {
            _isGood = false;
            return new Mutant([("file", [2])], IsCovered: true);
        }

        public override string Read() => _isGood ? "good" : _fault switch
        {
            "IndexOutOfRangeException" => Good("file")[1].ToString("d", null),
            "another answer" => "bad",
            "bytes beyond the file" => new byte[FuzzLimits.Bytes + 1].Length > 0 ? "good" : "",
            _ => throw new Gpt2Exception(Gpt2Error.Corrupt, "It does not end"),
        };
    }
}
