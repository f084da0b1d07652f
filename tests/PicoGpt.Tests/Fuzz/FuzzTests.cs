using PicoGpt.Fuzz;
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
