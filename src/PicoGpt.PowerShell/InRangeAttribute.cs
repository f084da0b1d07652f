using System.Globalization;
using System.Management.Automation;

namespace PicoGpt.PowerShell;

/// <summary>Lets a parameter have the numbers of a range, and none where it was not given; says in words what is wrong.</summary>
/// <param name="min">The least number.</param>
/// <param name="max">The greatest number.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class InRangeAttribute(double min, double max) : ValidateArgumentsAttribute
{
    /// <summary>The least number.</summary>
    public double Min => min;

    /// <summary>The greatest number.</summary>
    public double Max => max;

    /// <summary>Whether the least number itself is outside.</summary>
    public bool Above { get; set; }

    /// <inheritdoc/>
    protected override void Validate(object? arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is null) return;
        double number = Convert.ToDouble(arguments, CultureInfo.InvariantCulture);
        if (number <= max && (Above ? number > min : number >= min)) return; // a NaN is in no range
        string from = Above ? $"more than {Text(min)}" : $"{Text(min)} or more";
        string to = max >= float.MaxValue ? "" : $" and at most {Text(max)}";
        throw new ValidationMetadataException($"{Text(number)} is outside its range; give {from}{to}.");
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
