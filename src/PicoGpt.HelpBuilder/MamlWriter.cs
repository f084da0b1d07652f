using System.Globalization;
using System.Xml.Linq;

namespace PicoGpt.HelpBuilder;

/// <summary>Writes MAML, the XML of PowerShell's help ("Writing Help Topics", PowerShell SDK documentation).</summary>
internal static class MamlWriter
{
    private static readonly XNamespace Root = "http://msh";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>The help file of some commands.</summary>
    public static XDocument Write(IEnumerable<(HelpPage Page, CommandShape Command)> commands) => new(
        new XElement(Root + "helpItems", new XAttribute("schema", "maml"), commands.Select(item => Write(item.Page, item.Command))));

    private static XElement Write(HelpPage page, CommandShape command)
    {
        (HelpEntry Entry, ParameterShape Shape)[] parameters =
            [.. page.Parameters.Select(entry => (entry, Shape: Find(page, command, entry))).OrderBy(p => Order(p.Shape, p.Shape.Uses[0]))];
        return new XElement(
            Command + "command",
            new XAttribute(XNamespace.Xmlns + "maml", Maml),
            new XAttribute(XNamespace.Xmlns + "command", Command),
            new XAttribute(XNamespace.Xmlns + "dev", Dev),
            new XElement(
                Command + "details",
                new XElement(Command + "name", command.Name),
                new XElement(Command + "verb", command.Verb),
                new XElement(Command + "noun", command.Noun),
                Description([page.Synopsis])),
            Description(page.Description),
            new XElement(Command + "syntax", command.Sets.Select(set => SyntaxItem(command.Name, set, parameters))),
            new XElement(Command + "parameters", parameters.Select(p => Parameter(p.Entry, p.Shape, Widest(p.Shape)))),
            new XElement(Command + "inputTypes", page.Inputs.Select(entry => Typed("inputType", entry))),
            new XElement(Command + "returnValues", page.Outputs.Select(entry => Typed("returnValue", entry))),
            page.Notes.Count > 0 ? new XElement(Maml + "alertSet", new XElement(Maml + "alert", Paragraphs(page.Notes))) : null,
            new XElement(Command + "examples", page.Examples.Select(Example)),
            new XElement(Command + "relatedLinks", page.Links.Select(Link)));
    }

    private static ParameterShape Find(HelpPage page, CommandShape command, HelpEntry entry) =>
        command.Parameters.FirstOrDefault(p => p.Name == entry.Name)
        ?? throw new HelpSourceException(page.Path, entry.Line, $"{command.Name} has no parameter -{entry.Name}.");

    // As Get-Command shows them: by position, then what must be given, then the rest, WhatIf and Confirm last.
    private static (int Position, bool IsOptional, bool IsCommon) Order(ParameterShape shape, ParameterUse use) =>
        (use.Position ?? int.MaxValue, !use.IsMandatory, shape.Name is "WhatIf" or "Confirm");

    private static XElement SyntaxItem(string name, string set, IEnumerable<(HelpEntry Entry, ParameterShape Shape)> parameters) => new(
        Command + "syntaxItem",
        new XElement(Maml + "name", name),
        from parameter in parameters
        let use = parameter.Shape.UseIn(set)
        where use is not null
        orderby Order(parameter.Shape, use)
        select Parameter(parameter.Entry, parameter.Shape, use));

    // For the list of parameters, which tells of all sets at once: given in any, from the pipeline in any.
    private static ParameterUse Widest(ParameterShape shape) => new(
        ParameterUse.AllSets,
        shape.Uses.Any(use => use.IsMandatory),
        shape.Uses.Min(use => use.Position),
        shape.Uses.Any(use => use.TakesValue),
        shape.Uses.Any(use => use.TakesProperty));

    private static XElement Parameter(HelpEntry entry, ParameterShape shape, ParameterUse use) => new(
        Command + "parameter",
        new XAttribute("required", Word(use.IsMandatory)),
        new XAttribute("variableLength", Word(shape.Type.EndsWith("[]", StringComparison.Ordinal))),
        new XAttribute("globbing", Word(shape.TakesWildcards)),
        new XAttribute("pipelineInput", Pipeline(use)),
        new XAttribute("position", use.Position?.ToString(CultureInfo.InvariantCulture) ?? "named"),
        new XAttribute("aliases", shape.Aliases.Count > 0 ? string.Join(", ", shape.Aliases) : "none"),
        new XElement(Maml + "name", shape.Name),
        Description(entry.Text),
        shape.Words.Count > 0 ? new XElement(Command + "parameterValueGroup", shape.Words.Select(word => Value(word, use.IsMandatory))) : null,
        shape.IsSwitch ? null : Value(shape.Type, isRequired: true),
        new XElement(Dev + "type", new XElement(Maml + "name", shape.IsSwitch ? "SwitchParameter" : shape.Type)),
        new XElement(Dev + "defaultValue", entry.Default ?? (shape.IsSwitch ? "False" : "None")));

    private static XElement Value(string text, bool isRequired) => new(
        Command + "parameterValue",
        new XAttribute("required", Word(isRequired)),
        new XAttribute("variableLength", Word(text.EndsWith("[]", StringComparison.Ordinal))),
        text);

    private static string Pipeline(ParameterUse use) => (use.TakesValue, use.TakesProperty) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };

    private static XElement Typed(string element, HelpEntry entry) => new(
        Command + element,
        new XElement(Dev + "type", new XElement(Maml + "name", entry.Name)),
        Description(entry.Text));

    private static XElement Example(HelpExample example) => new(
        Command + "example",
        new XElement(Maml + "title", $"-------- {example.Title} --------"),
        new XElement(Dev + "code", example.Code),
        new XElement(Dev + "remarks", Paragraphs([.. example.Remarks, ""]))); // an empty line before the next example

    private static XElement Link(string name) => new(
        Maml + "navigationLink",
        new XElement(Maml + "linkText", name.TrimStart('-', ' ')),
        new XElement(Maml + "uri"));

    private static XElement Description(IEnumerable<string> paragraphs) => new(Maml + "description", Paragraphs(paragraphs));

    private static IEnumerable<XElement> Paragraphs(IEnumerable<string> texts) => texts.Select(text => new XElement(Maml + "para", text));

    private static string Word(bool value) => value ? "true" : "false";
}
