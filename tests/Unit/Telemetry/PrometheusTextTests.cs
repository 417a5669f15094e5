using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using WarpProxy.Telemetry;

namespace WarpProxy.Tests.Unit.Telemetry;

public sealed class PrometheusTextTests
{
    [Theory]
    [InlineData("http.server.request.duration", "s", "histogram", "http_server_request_duration_seconds")]
    [InlineData("warpproxy.operations", "{operation}", "counter", "warpproxy_operations_total")]
    [InlineData("dotnet.gc.heap.total_allocated", "By", "counter", "dotnet_gc_heap_total_allocated_bytes_total")]
    [InlineData("dotnet.thread_pool.thread.count", "{thread}", "gauge", "dotnet_thread_pool_thread_current")]
    [InlineData("dotnet.exceptions.count", null, "counter", "dotnet_exceptions_total")]
    [InlineData("load", "1", "gauge", "load_ratio")]
    [InlineData("time.in.seconds", "s", "gauge", "time_in_seconds")]
    public void Names_follow_the_rules(string name, string? unit, string type, string expected) => Assert.Equal(expected, PrometheusText.NameOf(name, unit, type));

    [Fact]
    public async Task Whole_page_is_as_Prometheus_reads_it()
    {
        using var page = new PrometheusPage();
        using var meter = new Meter("test");
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder().AddMeter("test").AddReader(page.Reader).Build();
        Histogram<double> histogram = meter.CreateHistogram("wait", "s", "How \\ long\nit took.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        histogram.Record(0.25, new KeyValuePair<string, object?>("a.b", "say \"hi\"\\\n"));
        histogram.Record(3, new KeyValuePair<string, object?>("a.b", "say \"hi\"\\\n"));
        meter.CreateCounter<long>("done").Add(7, new KeyValuePair<string, object?>("flag", true));
        meter.CreateObservableGauge("level", static () => -1.5);
        Assert.Equal(
            """
            # HELP done_total done
            # TYPE done_total counter
            done_total{flag="true"} 7
            # HELP level level
            # TYPE level gauge
            level -1.5
            # HELP wait_seconds How \\ long\nit took.
            # TYPE wait_seconds histogram
            wait_seconds_bucket{a_b="say \"hi\"\\\n",le="0.5"} 1
            wait_seconds_bucket{a_b="say \"hi\"\\\n",le="1"} 1
            wait_seconds_bucket{a_b="say \"hi\"\\\n",le="+Inf"} 2
            wait_seconds_sum{a_b="say \"hi\"\\\n"} 3.25
            wait_seconds_count{a_b="say \"hi\"\\\n"} 2

            """.ReplaceLineEndings("\n"),
            await page.WriteAsync());
        Assert.Equal(await page.WriteAsync(), await page.WriteAsync());
    }

    [Fact]
    public async Task All_who_ask_during_a_collection_share_the_next_and_hear_of_what_was_before()
    {
        using var page = new PrometheusPage();
        using var meter = new Meter("test");
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder().AddMeter("test").AddReader(page.Reader).Build();
        using var isUnderWay = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        int collections = 0;
        int happened = 0;
        meter.CreateObservableGauge("happened", () =>
        {
            int seen = Volatile.Read(ref happened);
            Interlocked.Increment(ref collections);
            isUnderWay.Set();
            mayEnd.Wait(TimeSpan.FromSeconds(60));
            return seen;
        });
        Task<string> first = page.WriteAsync();
        Assert.True(isUnderWay.Wait(TimeSpan.FromSeconds(60)));
        Volatile.Write(ref happened, 1);
        Task<string>[] others = [.. Enumerable.Range(0, 100).Select(_ => page.WriteAsync())];
        mayEnd.Set();
        Assert.Contains("happened 0\n", await first, StringComparison.Ordinal);
        Assert.All(await Task.WhenAll(others), static text => Assert.Contains("happened 1\n", text, StringComparison.Ordinal));
        Assert.Equal(2, collections);
    }
}
