using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Lets a parameter have the numbers of a range, and none where it was not given; says in words what is wrong.</summary>
/// <param name="least">The least number.</param>
/// <param name="most">The greatest number.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class InRangeAttribute(double least, double most) : ValidateArgumentsAttribute
{
    /// <summary>The least number.</summary>
    public double Least => least;

    /// <summary>The greatest number.</summary>
    public double Most => most;

    /// <summary>Whether the least number itself is outside.</summary>
    public bool Above { get; set; }

    /// <inheritdoc/>
    protected override void Validate(object? arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is null) return;
        double number = Convert.ToDouble(arguments, CultureInfo.InvariantCulture);
        if (number <= most && (Above ? number > least : number >= least)) return; // a NaN is in no range
        string from = Above ? $"more than {Text(least)}" : $"{Text(least)} or more";
        string to = most >= float.MaxValue ? "" : $" and at most {Text(most)}";
        throw new ValidationMetadataException($"{Text(number)} is outside its range; give {from}{to}.");
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
