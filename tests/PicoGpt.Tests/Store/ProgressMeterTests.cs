using PicoGpt.Store;
using Xunit;

namespace PicoGpt.Tests.Store;

public sealed class ProgressMeterTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Bytes_that_were_here_before_do_not_count_for_the_rate()
    {
        ProgressMeter meter = Begin(done: 9_000, total: 20_000);
        _time.Advance(1);
        meter.Add(1_000);
        _time.Advance(1);
        meter.Add(1_000);
        Assert.Equal(11_000, meter.Current.ModelBytes);
        Assert.Equal(1_000, meter.Current.BytesPerSecond, 0.001);
        Assert.Equal(TimeSpan.FromSeconds(9), meter.Current.TimeLeft);
    }

    [Fact]
    public void The_rate_is_that_of_the_last_seconds()
    {
        ProgressMeter meter = Begin(done: 0, total: 1_000_000);
        for (int second = 0; second < 20; second++)
        {
            _time.Advance(1);
            meter.Add(second < 10 ? 50_000 : 100);
        }

        Assert.Equal(100, meter.Current.BytesPerSecond, 0.001);
        _time.Advance(5);
        Assert.Equal(50, meter.Current.BytesPerSecond, 0.001);
    }

    [Fact]
    public void Nothing_is_said_of_the_time_left_before_anything_came()
    {
        ProgressMeter meter = Begin(done: 5, total: 10);
        Assert.Null(meter.Current.TimeLeft);
        Assert.Equal(0, meter.Current.BytesPerSecond);
        _time.Advance(3);
        Assert.Null(meter.Current.TimeLeft);
    }

    private ProgressMeter Begin(long done, long total)
    {
        var meter = new ProgressMeter(_time);
        meter.BeginModel(0, total);
        meter.BeginFile("model", done, total);
        return meter;
    }
}
