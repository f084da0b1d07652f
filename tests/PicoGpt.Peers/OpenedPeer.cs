using System.Globalization;
using PicoGpt.Peers.Own;

namespace PicoGpt.Peers;

/// <summary>A row of the table with its peer, or with what was wrong with it, and its figures of each round.</summary>
internal sealed class OpenedPeer : IDisposable
{
    private const string Nothing = "–";

    private readonly PeerRow _row;
    private readonly Dictionary<Column, List<double>> _figures = [];
    private double _error;

    private OpenedPeer(PeerRow row) => _row = row;

    /// <summary>The peer; <see langword="null"/> where it could not be opened.</summary>
    public IPeer? Peer { get; private set; }

    /// <summary>Why it is not measured, in two words; <see langword="null"/> where it is.</summary>
    public string? Fault { get; private set; }

    /// <summary>The same in full.</summary>
    public string? Reason { get; private set; }

    /// <summary>Opens a peer and checks it; what is wrong with it becomes its <see cref="Fault"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="open">Opens the peer.</param>
    /// <param name="check">Gives its error, or throws.</param>
    public static OpenedPeer Open(PeerRow row, Func<IPeer> open, Func<IPeer, double> check)
    {
        var opened = new OpenedPeer(row);
        try
        {
            opened.Peer = open();
            opened._error = check(opened.Peer);
        }
        catch (InvalidDataException fault)
        {
            (opened.Fault, opened.Reason) = ("is wrong", fault.Message);
        }
        catch (Exception fault) // a native library that is not for this machine, and whatever else a peer throws: the others are compared
        {
            (opened.Fault, opened.Reason) = ("does not run", fault.GetBaseException().Message);
        }

        return opened;
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>Whether the peer is measured in a column: one that guesses differs from PicoGpt's plain steps in single texts alone.</summary>
    public bool Has(Column column) => Fault is null && (Peer is not GuessingPeer || column.IsOneText);

    public void Add(Column column, double figure)
    {
        if (!_figures.TryGetValue(column, out List<double>? figures)) _figures.Add(column, figures = []);
        figures.Add(figure);
    }

    /// <summary>The row with its medians.</summary>
    public string Row(IEnumerable<Column> columns) => Fault is not null
        ? $"| {_row.Name} | {Fault} |"
        : $"| {_row.Name} | {string.Join(" | ", columns.Select(column => Has(column) ? Number(Median(_figures[column])) : Nothing))} | {_error.ToString("G2", CultureInfo.InvariantCulture)} |";

    /// <summary>The row with how many times as fast another peer is: medians of the rounds' own ratios.</summary>
    public string RatioRow(OpenedPeer other, IEnumerable<Column> columns) =>
        $"| {_row.Name} | {string.Join(" | ", columns.Select(column => Has(column) ? Ratio(other, column).ToString("F2", CultureInfo.InvariantCulture) : Nothing))} |";

    public void Dispose() => Peer?.Dispose();

    private double Ratio(OpenedPeer other, Column column) =>
        Median(_figures[column].Zip(other._figures[column], (own, others) => column.IsTime ? own / others : others / own));

    private static string Number(double value) => value.ToString(value < 10 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
