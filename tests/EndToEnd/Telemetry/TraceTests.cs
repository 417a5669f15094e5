using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>The spans of real handshakes, as a real collector gets them.</summary>
public sealed class TraceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("device")]
    [InlineData("software")]
    public async Task Handshake_its_private_key_operation_and_its_request_are_one_story(string path)
    {
        await using var scenario = new Scenario(output);
        await using OtlpSink sink = await OtlpSink.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), Environment(sink, path, share: "1"));
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();

        OtlpSpan handshake = await WaitForAsync(sink, "tls.handshake");
        OtlpSpan operation = await WaitForAsync(sink, "rsa.private_key_operation");
        OtlpSpan request = await WaitForAsync(sink, span => span.Links.Count > 0, "a request with a link");
        Print(handshake, operation, request);

        Assert.Equal("", handshake.ParentId);
        Assert.Equal((handshake.TraceId, handshake.SpanId), (operation.TraceId, operation.ParentId));
        Assert.Equal([(handshake.TraceId, handshake.SpanId)], request.Links);
        Assert.True(handshake.Start <= operation.Start && operation.End <= handshake.End, "the operation is within its handshake");

        Assert.Equal("1.3", handshake.Attributes["tls.protocol.version"]);
        Assert.StartsWith("TLS_", handshake.Attributes["tls.cipher"], StringComparison.Ordinal);
        Assert.NotEqual("", handshake.Attributes["tls.curve"]);
        Assert.Equal("localhost", handshake.Attributes["tls.client.server_name"]);
        Assert.Equal("false", handshake.Attributes["tls.resumed"]);
        Assert.Equal("completed", handshake.Attributes["warpproxy.outcome"]);
        Assert.Equal(path, handshake.Attributes["warpproxy.path"]);
        Assert.Contains("CN=", handshake.Attributes["warpproxy.certificate"], StringComparison.Ordinal);
        Assert.Equal(0, handshake.Status);

        Assert.Equal(path, operation.Attributes["warpproxy.path"]);
        Assert.Equal("2048", operation.Attributes["warpproxy.key_size"]);
        Assert.Equal("pss", operation.Attributes["warpproxy.padding"]);
        Assert.DoesNotContain("warpproxy.fallback_reason", operation.Attributes.Keys);
        AssertInOrder(operation);
        if (path == "device")
        {
            Assert.Equal("embedded:", operation.Attributes["warpproxy.device"]);
            Assert.Equal("1", operation.Attributes["warpproxy.batch_size"]);
            Assert.InRange(int.Parse(operation.Attributes["warpproxy.queue"], CultureInfo.InvariantCulture), 0, 1023);
            Assert.All(
                new[] { "queue_wait", "batch_wait", "execute", "fault_check" },
                name => Assert.True(double.Parse(operation.Attributes[$"warpproxy.{name}"], CultureInfo.InvariantCulture) >= 0, name));
            Assert.Equal(["posted", "computing", "computed", "reaped", "checked"], operation.Events.Select(one => one.Name));
        }
        else
        {
            Assert.DoesNotContain("warpproxy.device", operation.Attributes.Keys);
            Assert.Equal(["software"], operation.Events.Select(one => one.Name));
        }
    }

    [Fact]
    public async Task Operation_that_fell_back_says_why()
    {
        await using var scenario = new Scenario(output);
        await using OtlpSink sink = await OtlpSink.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        string socket = scenario.File("nobody.sock");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--device", $"emulator:{socket}"], Environment(sink, "device", share: "1"));
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        OtlpSpan operation = await WaitForAsync(sink, "rsa.private_key_operation");
        Assert.Equal("software", operation.Attributes["warpproxy.path"]);
        Assert.Equal("no_device", operation.Attributes["warpproxy.fallback_reason"]);
    }

    [Fact]
    public async Task Connections_that_are_not_sampled_leave_no_span_and_metrics_are_sent_all_the_same()
    {
        await using var scenario = new Scenario(output);
        await using OtlpSink sink = await OtlpSink.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using (ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), Environment(sink, "device", share: "0")))
        {
            for (int i = 0; i < 5; i++)
            {
                await new TlsClient(proxy.Url, certificate.Root).GetAsync();
            }

            await Eventually.TrueAsync("metrics come", () => sink.Metrics.Count > 0);
            proxy.Process.Send(Signal.Terminate);
            await Eventually.TrueAsync("the proxy has ended, and has sent what there was", () => proxy.Process.HasExited);
        }

        Assert.Empty(sink.Spans);

        // What it heard last stands at a collector for minutes: that of a proxy that ends well must not look like a lost device.
        Assert.Equal(["ready"], Current(sink, "warpproxy.device.state"));
        Assert.Equal(["closed"], Current(sink, "warpproxy.breaker.state"));
    }

    /// <summary>
    /// The states that a collector takes for the current ones. The last sending need not have any: one that follows another at once may lack all that is
    /// observed (OpenTelemetry 1.20.1), and what is lacking is kept as it was.
    /// </summary>
    private static IEnumerable<string> Current(OtlpSink sink, string metric) =>
        sink.Metrics.Select(sending => sending.Where(point => point.Metric == metric).ToList()).Last(static points => points.Count > 0)
            .Where(static point => point.Value == 1).Select(static point => point.Attributes["state"]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_has_its_request_traced_only_where_its_word_counts(bool isTrusted)
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        await using var scenario = new Scenario(output);
        await using OtlpSink sink = await OtlpSink.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        Dictionary<string, string> environment = Environment(sink, "device", share: "0");
        environment["WARPPROXY_Telemetry__TrustParents"] = $"{isTrusted}";
        await using (ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), environment))
        {
            await Tool.GetWithCurlAsync(proxy, scenario.File("root.pem"), "--header", $"traceparent: 00-{Trace}-00f067aa0ba902b7-01");
            if (isTrusted)
            {
                // Before the end, which has no time for a collector that is too busy.
                await WaitForAsync(sink, static span => span.Name.StartsWith("GET", StringComparison.Ordinal), "the request");
            }

            proxy.Process.Send(Signal.Terminate);
            await proxy.Process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        }

        if (isTrusted)
        {
            Assert.All(sink.Spans, static span => Assert.Equal(Trace, span.TraceId));
        }
        else
        {
            Assert.Empty(sink.Spans);
        }
    }

    [Fact]
    public async Task Collector_that_hangs_holds_no_end_up()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), new Dictionary<string, string>
        {
            ["WARPPROXY_Offload__Path"] = "device",
            ["WARPPROXY_Telemetry__Sampling"] = "1",
            ["WARPPROXY_Telemetry__Interval"] = "00:00:01",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = $"http://{silent.LocalEndpoint}/its/own/traces",
            ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = $"http://{silent.LocalEndpoint}/its/own/metrics",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        });

        // Both signals go where their own variables say; what has given up comes again. The end has no time for what has not even begun on a busy machine.
        var requests = new ConcurrentDictionary<string, TcpClient>();
        Task hearing = HearAsync(silent, requests);
        var client = new TlsClient(proxy.Url, certificate.Root);
        await Eventually.TrueAsync("the collector has heard of traces and metrics", async () =>
        {
            await client.GetAsync();
            return requests.Count >= 2;
        });
        Assert.Equal(["POST /its/own/metrics HTTP/1.1", "POST /its/own/traces HTTP/1.1"], requests.Keys.Order(StringComparer.Ordinal));
        proxy.Process.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.DoesNotContain(proxy.Process.Errors, static line => line.Contains("hang", StringComparison.Ordinal));
        silent.Stop();
        await hearing;
    }

    /// <summary>Answers nobody, and closes no connection, until the listener is stopped. Keeps the first lines that are said.</summary>
    private static async Task HearAsync(TcpListener listener, ConcurrentDictionary<string, TcpClient> requests)
    {
        List<TcpClient> clients = [];
        List<Task> readers = [];
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync();
                clients.Add(client);
                readers.Add(ReadAsync(client));
            }
        }
        catch (SocketException)
        {
            // It was stopped.
        }

        await Task.WhenAll(readers);
        clients.ForEach(static client => client.Dispose());

        async Task ReadAsync(TcpClient client)
        {
            var reader = new StreamReader(client.GetStream());
            try
            {
                if (await reader.ReadLineAsync() is { } line)
                {
                    requests.TryAdd(line, client);
                }
            }
            catch (IOException)
            {
                // It has given up.
            }
        }
    }

    private static Dictionary<string, string> Environment(OtlpSink sink, string path, string share) => new()
    {
        ["WARPPROXY_Offload__Deadline"] = "00:00:10",
        ["WARPPROXY_Offload__Path"] = path,
        ["WARPPROXY_Telemetry__Interval"] = "00:00:01",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink.Url.ToString().TrimEnd('/'),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_TRACES_SAMPLER"] = "traceidratio",
        ["OTEL_TRACES_SAMPLER_ARG"] = share,
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
    };

    private static Task<OtlpSpan> WaitForAsync(OtlpSink sink, string name) => WaitForAsync(sink, span => span.Name == name, name);

    private static async Task<OtlpSpan> WaitForAsync(OtlpSink sink, Func<OtlpSpan, bool> isIt, string what)
    {
        await Eventually.TrueAsync($"the collector has {what}", () => sink.Spans.Any(isIt));
        return sink.Spans.First(isIt);
    }

    private static void AssertInOrder(OtlpSpan span)
    {
        ulong[] times = [span.Start, .. span.Events.Select(static one => one.Time), span.End];
        Assert.True(times.SequenceEqual(times.Order()), $"{string.Join(", ", times)} are in order");
    }

    private void Print(params OtlpSpan[] spans)
    {
        foreach (OtlpSpan span in spans)
        {
            output.WriteLine($"{span.Name}  {(span.End - span.Start) / 1000} us  span {span.SpanId} parent {span.ParentId}");
            foreach ((string name, string value) in span.Attributes)
            {
                output.WriteLine($"    {name} = {value}");
            }

            foreach ((string name, ulong time) in span.Events)
            {
                output.WriteLine($"    +{(time - span.Start) / 1000} us {name}");
            }
        }
    }
}
