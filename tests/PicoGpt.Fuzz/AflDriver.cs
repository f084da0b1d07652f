using SharpFuzz;

namespace PicoGpt.Fuzz;

/// <summary>Lets afl-fuzz, which starts this program, lead the cases of a target; its input is the choices of a case.</summary>
internal static class AflDriver
{
    /// <summary>Writes inputs to begin with.</summary>
    public static void WriteSeeds(FuzzTarget target, string folder)
    {
        const int Seeds = 32;
        Directory.CreateDirectory(folder);
        for (ulong number = 0; number < Seeds; number++)
        {
            var dice = new Dice(number);
            target.Mutate(dice);
            byte[] choices = dice.Taken;
            File.WriteAllBytes(Path.Combine(folder, $"{number}"), choices.Length > 0 ? choices : [0]);
        }
    }

    /// <summary>Runs a case for each input, in a process that afl-fuzz may end, until it ends this one.</summary>
    public static void Run(FuzzTarget target)
    {
        var runner = new FuzzRunner(target);
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            if (runner.Run(0, target.Mutate(new Dice(input.ToArray(), seed: 0))) is { } find) throw new FuzzFaultException(find);
        });
    }
}
