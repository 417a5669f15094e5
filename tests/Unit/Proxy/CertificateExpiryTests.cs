using System.Diagnostics.Metrics;
using WarpProxy.Certificates;
using WarpProxy.Files;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class CertificateExpiryTests : IDisposable
{
    private readonly PemFolder _folder = new();
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();
    private readonly Accelerator _accelerator;
    private readonly FileWatch _files;

    public CertificateExpiryTests()
    {
        _accelerator = new Accelerator(new OffloadOptions { Devices = ["none"] }, _time, _log);
        _files = new FileWatch(TimeSpan.FromHours(1), _time, _log.Of<FileWatch>());
    }

    public void Dispose()
    {
        _files.Dispose();
        _accelerator.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Each_warning_is_given_once()
    {
        DateTimeOffset end = _time.GetUtcNow().AddDays(20);
        _folder.WritePair("a", ["a.example"], notAfter: end);
        using CertificateStore store = Open();
        using var expiry = new CertificateExpiry(store, new CertificateExpiryOptions(), _time, _log.Of<CertificateExpiry>());
        Assert.Empty(Warnings());
        var warnings = new List<(int Hour, string Line)>();
        for (int hour = 1; hour <= 21 * 24; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            warnings.AddRange(Warnings().Select(line => (hour, line)));
        }

        Assert.Equal(
            [
                ((6 * 24) + 1, $"Warning: Certificate many/a (CN=a.example) ends on {end:yyyy-MM-dd HH:mm}Z"),
                ((19 * 24) + 1, $"Warning: Certificate many/a (CN=a.example) ends on {end:yyyy-MM-dd HH:mm}Z"),
                ((20 * 24) + 1, $"Warning: Certificate many/a (CN=a.example) expired on {end:yyyy-MM-dd}; clients will refuse it"),
            ],
            warnings);
    }

    [Fact]
    public void Renewed_certificate_is_looked_at_when_it_is_loaded()
    {
        _folder.WritePair("a", ["a.example"], notAfter: _time.GetUtcNow().AddDays(5));
        using CertificateStore store = Open();
        using var expiry = new CertificateExpiry(store, new CertificateExpiryOptions(), _time, _log.Of<CertificateExpiry>());
        Assert.Single(Warnings());
        DateTimeOffset end = _time.GetUtcNow().AddDays(60);
        _folder.WritePair("a", ["a.example"], notAfter: end);
        _files.LookNow();
        Assert.Empty(Warnings());
        Assert.Equal(new CertificateEnd("many/a", "CN=a.example", end), expiry.Next);
        _folder.WritePair("a", ["a.example"], notAfter: _time.GetUtcNow().AddDays(100));
        _files.LookNow();
        Assert.Equal([$"Warning: Certificate many/a (CN=a.example) is not valid before {_time.GetUtcNow().AddDays(10):yyyy-MM-dd HH:mm}Z; clients will refuse it"], Warnings());
    }

    [Fact]
    public void Gauge_has_the_seconds_left_by_name_of_those_that_end_first()
    {
        foreach (int i in Enumerable.Range(0, 110))
        {
            _folder.WritePair($"c{i:000}", [$"c{i}.example"], notAfter: _time.GetUtcNow().AddDays(30 + i));
        }

        using CertificateStore store = Open();
        using var expiry = new CertificateExpiry(store, new CertificateExpiryOptions(), _time, _log.Of<CertificateExpiry>());
        _time.Advance(TimeSpan.FromHours(1));
        var measured = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "WarpProxy", Name: "warpproxy.certificate.expiry", Unit: "s" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            // Other tests have proxies of their own.
            string name = (string)tags[0].Value!;
            if (tags[0].Key == "certificate" && name.StartsWith("many/c", StringComparison.Ordinal))
            {
                measured[name] = value;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(100, measured.Count);
        Assert.Equal((30 * 24 * 3600) - 3600, measured["many/c000"], tolerance: 1.0);
        Assert.DoesNotContain("many/c100", measured.Keys);
        Assert.Equal("many/c000", expiry.Next!.Name);
    }

    private string[] Warnings() => [.. _log.Take().Where(static line => line.StartsWith("Warning", StringComparison.Ordinal))];

    private CertificateStore Open() => new(
        [new("many", new CertificateOptions { Directory = _folder.Root })], _accelerator, _files, _time, _log);
}
