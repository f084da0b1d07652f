using System.Globalization;
using PicoGpt.Benchmarks;

namespace PicoGpt.Peers;

/// <summary>
/// The comparison: of one precision after another, every column of every peer in turn, round by round, beside what the machine can do in the
/// same minutes. The table has medians; a second one has how many times as fast PicoGpt's plain steps were, measured beside each.
/// </summary>
internal sealed class PeerTable
{
    private const int PauseMilliseconds = 100; // in which the threads of the peer before come to rest

    private readonly PeerOptions _options;
    private readonly Gpt2Model _model;
    private readonly TextWriter _output, _progress;
    private readonly List<double> _bandwidths = [], _peaks = [];
    private readonly List<string> _ratios = [];

    private PeerTable(Gpt2Model model, PeerOptions options, TextWriter output, TextWriter progress) =>
        (_model, _options, _output, _progress) = (model, options, output, progress);

    /// <summary>Measures and writes the tables.</summary>
    /// <param name="options">What is compared.</param>
    /// <param name="output">Where the tables go.</param>
    /// <param name="progress">Where it is told what is under way.</param>
    /// <returns>Whether every peer could be measured.</returns>
    public static bool Write(PeerOptions options, TextWriter output, TextWriter progress)
    {
        options.MakeModel();
        Directory.CreateDirectory(options.Files);
        using Gpt2Model model = Gpt2Model.Open(options.Model);
        return new PeerTable(model, options, output, progress).Write();
    }

    private bool Write()
    {
        _output.WriteLine($"{_model.Name}, {_options.Threads} threads, medians of {_options.Rounds}; {PeerVersions.All}");
        WriteHeader([.. _options.Columns.Select(column => column.Name), "error"]);
        bool isWhole = true;
        foreach (Gpt2Precision precision in _options.Precisions) isWhole &= WritePrecision(precision);
        _output.WriteLine();
        _output.WriteLine("How many times as fast PicoGpt's plain steps are:");
        WriteHeader([.. _options.Columns.Select(column => column.Name)]);
        foreach (string row in _ratios) _output.WriteLine(row);
        _output.WriteLine();
        _output.WriteLine($"A plain read: {Range(_bandwidths)} GB/s; fused multiply-add: {Range(_peaks)} GFLOP/s.");
        return isWhole;
    }

    private bool WritePrecision(Gpt2Precision precision)
    {
        List<OpenedPeer> peers = OpenAll(precision);
        try
        {
            for (int round = 0; round <= _options.Rounds; round++)
            {
                _progress.WriteLine(round == 0 ? $"{precision}: warming up" : $"{precision}: round {round} of {_options.Rounds}");
                if (round > 0) MeasureMachine();
                foreach (Column column in _options.Columns) MeasureColumn(peers, column, isWarmUp: round == 0);
            }

            foreach (OpenedPeer peer in peers) _output.WriteLine(peer.Row(_options.Columns));
            _ratios.AddRange(peers.Skip(1).Where(peer => peer.Fault is null).Select(peer => peer.RatioRow(peers[0], _options.Columns)));
            return peers.All(peer => peer.Fault is null);
        }
        finally
        {
            foreach (OpenedPeer peer in peers) peer.Dispose();
        }
    }

    private List<OpenedPeer> OpenAll(Gpt2Precision precision)
    {
        Gpt2Model model = _model.WithPrecision(precision);
        model.Prepare();
        var files = new PeerFiles(_model, _options.Files, _options.Threads);
        using var check = new PeerCheck(_model, _options.Threads);
        List<OpenedPeer> peers = [];
        foreach (PeerRow row in PeerRow.All.Where(row => row.Precision == precision && (row.Group == PeerRow.Own || _options.Peers.Contains(row.Group))))
        {
            _progress.WriteLine($"{row.Name}: opening and checking");
            var opened = OpenedPeer.Open(row, () => row.Open(model, files, _options.Threads), peer => check.Check(peer, precision));
            if (opened.Fault is not null) _progress.WriteLine($"{row.Name} {opened.Fault}: {opened.Reason}");
            peers.Add(opened);
        }

        return peers;
    }

    private void MeasureColumn(List<OpenedPeer> peers, Column column, bool isWarmUp)
    {
        foreach (OpenedPeer peer in peers.Where(peer => peer.Has(column)))
        {
            GC.Collect();
            Thread.Sleep(PauseMilliseconds);
            double figure = (isWarmUp ? column.WarmUp : column).Measure(peer.Peer!, _model.HyperParameters.NVocab);
            if (!isWarmUp) peer.Add(column, figure);
        }
    }

    private void MeasureMachine()
    {
        _bandwidths.Add(MachineLimits.ReadBandwidth(_options.Model, _options.Threads) / 1e9);
        _peaks.Add(MachineLimits.PeakFlops(_options.Threads) / 1e9);
    }

    private void WriteHeader(IReadOnlyList<string> names)
    {
        _output.WriteLine();
        _output.WriteLine($"| | {string.Join(" | ", names)} |");
        _output.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", names.Count + 1))}");
    }

    private static string Range(List<double> values) =>
        string.Create(CultureInfo.InvariantCulture, $"{OpenedPeer.Median(values):F0} ({values.Min():F0} to {values.Max():F0})");
}
