using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PicoGpt.Architecture;
using PicoGpt.Store;

namespace PicoGpt.PowerShell;

/// <summary>The model that an unfinished command line gives to a command.</summary>
internal static class CommandLineModel
{
    private static readonly string[] Openers = ["Name", "LiteralPath", "Path"];

    /// <summary>What the line gives: an object, a name or a path; <see langword="null"/> where that cannot be told.</summary>
    /// <param name="command">The command that is being typed.</param>
    /// <param name="parameters">What is known of its parameters.</param>
    public static object? Find(CommandAst command, IDictionary parameters)
    {
        if (parameters["Model"] is { } given) return Meant(given);
        if (command.Parent is not PipelineAst pipeline) return null;
        int place = pipeline.PipelineElements.IndexOf(command);
        return place > 0 ? Meant(Emitted(pipeline.PipelineElements[place - 1])) : null;
    }

    /// <summary>What a value means, which may be wrapped, or a name that is a path as well.</summary>
    public static object? Meant(object? value) =>
        ObjectReader.Unwrap(value) is var plain && plain is string text ? SessionPath.NameOrPath(Session(), text) : plain;

    /// <summary>The shape of the model that the line gives; no weights are read.</summary>
    /// <exception cref="Gpt2Exception">Its files are not as they should be.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Gpt2HyperParameters? ShapeOf(CommandAst command, IDictionary parameters, CancellationToken cancellationToken) =>
        ShapeOf(Find(command, parameters), cancellationToken);

    /// <summary>A path as the session means it: relative to its location and not to the process's.</summary>
    public static string Resolve(string path) => SessionPath.Resolve(Session(), path);

    private static Gpt2HyperParameters? ShapeOf(object? model, CancellationToken cancellationToken) => model switch
    {
        Gpt2Model open => open.HyperParameters,
        ModelInfo info => ShapeOf(info.Name, cancellationToken),
        string name when ModelCatalog.TryResolve(name, out CatalogModel? entry) => entry.HyperParameters,
        string path => ShapeAt(Resolve(path), cancellationToken),
        _ => null,
    };

    private static Gpt2HyperParameters ShapeAt(string path, CancellationToken cancellationToken)
    {
        using Gpt2Model model = Gpt2Model.Open(path, cancellationToken: cancellationToken);
        return model.HyperParameters;
    }

    // A completer is given no session, and the runspace's own door to it is closed while a line is read.
    private static SessionState Session()
    {
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand("Get-Variable").AddParameter("Name", "ExecutionContext").AddParameter("ValueOnly");
        return shell.Invoke<EngineIntrinsics>()[0].SessionState;
    }

    private static object? Emitted(CommandBaseAst element) => element switch
    {
        CommandExpressionAst { Expression: VariableExpressionAst variable } => Session().PSVariable.GetValue(variable.VariablePath.UserPath),
        CommandExpressionAst { Expression: StringConstantExpressionAst text } => text.Value,
        CommandAst command when string.Equals(command.GetCommandName(), "Get-Gpt2Model", StringComparison.OrdinalIgnoreCase) => Opened(command),
        _ => null,
    };

    private static object? Opened(CommandAst command)
    {
        Dictionary<string, ParameterBindingResult> bound = StaticParameterBinder.BindCommand(command).BoundParameters;
        return Openers.Select(parameter => bound.GetValueOrDefault(parameter)?.ConstantValue).FirstOrDefault(value => value is not null);
    }
}
