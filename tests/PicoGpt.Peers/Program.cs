using PicoGpt.Peers;

// dotnet run -c Release --project tests/PicoGpt.Peers   PicoGpt beside other programs that run GPT-2, measured in turn
if (args is ["--help" or "-h" or "help"])
{
    Console.WriteLine(PeerOptions.Help);
    return 0;
}

PeerOptions options;
try
{
    options = PeerOptions.Parse(args);
}
catch (Exception fault) when (fault is ArgumentException or FormatException or OverflowException)
{
    Console.Error.WriteLine($"{fault.Message}; --help shows the options.");
    return 2;
}

return PeerTable.Write(options, Console.Out, Console.Error) ? 0 : 1;
