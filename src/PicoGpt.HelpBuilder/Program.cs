using PicoGpt.HelpBuilder;

// Makes PowerShell's help files of one Markdown page per command: what the build of the module runs.
if (args is not [string pages, string assembly, string output])
{
    Console.Error.WriteLine("Usage: PicoGpt.HelpBuilder <folder of pages> <assembly of commands> <output folder>");
    return 2;
}

try
{
    HelpFiles.Build(pages, assembly, output);
    return 0;
}
catch (HelpSourceException fault)
{
    Console.Error.WriteLine(fault.Message);
    return 1;
}
