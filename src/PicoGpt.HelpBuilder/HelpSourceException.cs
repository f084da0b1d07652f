namespace PicoGpt.HelpBuilder;

/// <summary>A fault in a help page; its message has the form that MSBuild shows as an error of that file and line.</summary>
internal sealed class HelpSourceException(string path, int line, string message) : Exception($"{path}({line}): error HELP: {message}");
