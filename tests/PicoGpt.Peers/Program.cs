using PicoGpt.Peers;

// dotnet run -c Release --project tests/PicoGpt.Peers   PicoGpt beside other programs that run GPT-2, measured in turn
// and the same with "-- train"                         a step of training beside libtorch's
if (args is ["--help" or "-h" or "help"])
{
    Console.WriteLine(PeerOptions.Help);
    return 0;
}

bool trains = args is [TrainingTable.Verb, ..];
PeerOptions options;
try
{
    options = PeerOptions.Parse(trains ? args[1..] : args);
}
catch (Exception fault) when (fault is ArgumentException or FormatException or OverflowException)
{
    Console.Error.WriteLine($"{fault.Message}; --help shows the options.");
    return 2;
}

return (trains ? TrainingTable.Write(options, Console.Out, Console.Error) : PeerTable.Write(options, Console.Out, Console.Error)) ? 0 : 1;
