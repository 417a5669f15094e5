using WarpProxy.Configuration;
using WarpProxy.Telemetry;

namespace WarpProxy.Tests.Unit.Telemetry;

public sealed class ProxyTelemetryTests
{
    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")]
    public void Endpoint_that_is_no_URL_is_refused(string variable)
    {
        var refused = Assert.Throws<BadInputException>(() => new ProxyTelemetry(new TelemetryOptions(), name => name == variable ? "collector:4318" : null));
        Assert.Equal($"{variable} is 'collector:4318'; it must be a URL with http or https.", refused.Message);
    }

    [Theory]
    [InlineData("http://collector:4318/v1/traces", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Endpoint_of_traces_alone_has_them_made(string? endpoint, bool expected)
    {
        using var telemetry = new ProxyTelemetry(new TelemetryOptions(), name => name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" ? endpoint : null);
        Assert.Equal(expected, telemetry.IsTracing);
    }
}
