using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.ProxyProtocol;

public sealed class ProxyProtocolMiddlewareTests : IDisposable
{
    private const string Header = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ManualTime _time = new();
    private readonly ProxyProtocolCounters _counters = new();
    private readonly Pipe _fromSender = new();
    private readonly Pipe _toSender = new();
    private readonly Connection _connection;
    private string? _served;

    public ProxyProtocolMiddlewareTests()
    {
        _connection = new Connection
        {
            Transport = new Duplex(_fromSender.Reader, _toSender.Writer),
            RemoteEndPoint = new IPEndPoint(IPAddress.Parse("::ffff:10.0.0.9"), 1000),
            LocalEndPoint = new IPEndPoint(IPAddress.Parse("10.0.0.1"), 443),
        };
    }

    public void Dispose()
    {
        _fromSender.Writer.Complete();
        _toSender.Reader.Complete();
    }

    [Fact]
    public async Task Connection_has_the_addresses_of_its_header_and_the_bytes_behind_it()
    {
        await WriteAsync(Header + "GET /");
        await ServeAsync();
        Assert.Equal("GET /", _served);
        Assert.Equal("192.0.2.1:56324", _connection.RemoteEndPoint!.ToString());
        Assert.Equal("198.51.100.7:443", _connection.LocalEndPoint!.ToString());
        AssertCounts(proxied: 1);
    }

    [Fact]
    public async Task Header_may_come_byte_by_byte()
    {
        Task serving = ServeAsync();
        foreach (char one in Header)
        {
            Assert.False(serving.IsCompleted);
            await WriteAsync(one.ToString());
        }

        // From the first of these on it may be served.
        foreach (char one in "GET /")
        {
            await WriteAsync(one.ToString());
        }

        await serving.WaitAsync(Patience);
        Assert.StartsWith(_served!, "GET /");
        Assert.Equal("192.0.2.1:56324", _connection.RemoteEndPoint!.ToString());
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0020\0\0\0")]
    public async Task Connection_without_addresses_keeps_its_own(string header)
    {
        await WriteAsync(header + "GET /");
        await ServeAsync();
        Assert.Equal("GET /", _served);
        Assert.Equal("[::ffff:10.0.0.9]:1000", _connection.RemoteEndPoint!.ToString());
        AssertCounts(local: 1);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("\u0016\u0003\u0001")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 70000\r\n")]
    public async Task What_is_no_header_is_closed_and_counted(string bytes)
    {
        await WriteAsync(bytes);
        await ServeAsync();
        Assert.Null(_served);
        AssertCounts(malformed: 1);
    }

    [Theory]
    [InlineData("192.0.2.9")]
    [InlineData("::1")]
    public async Task Sender_that_is_not_trusted_is_closed_unread_and_counted(string sender)
    {
        _connection.RemoteEndPoint = new IPEndPoint(IPAddress.Parse(sender), 1000);
        await WriteAsync(Header);
        await ServeAsync();
        Assert.Null(_served);
        AssertCounts(untrusted: 1);
        Assert.True(_fromSender.Reader.TryRead(out ReadResult unread));
        Assert.Equal(Header.Length, unread.Buffer.Length);
    }

    [Fact]
    public async Task Connection_without_an_address_is_not_trusted()
    {
        _connection.RemoteEndPoint = null;
        await WriteAsync(Header);
        await ServeAsync();
        AssertCounts(untrusted: 1);
    }

    [Fact]
    public async Task Header_that_does_not_come_in_time_is_closed_and_counted()
    {
        Task serving = ServeAsync();
        await WriteAsync(Header[..^1]);
        _time.Advance(Limit - TimeSpan.FromTicks(1));
        Assert.False(serving.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await serving.WaitAsync(Patience);
        Assert.Null(_served);
        Assert.Equal("The PROXY protocol header did not arrive in time.", _connection.AbortReason);
        AssertCounts(timeout: 1);
    }

    [Fact]
    public async Task Sender_that_closes_without_a_header_is_not_counted()
    {
        await _fromSender.Writer.CompleteAsync();
        await ServeAsync();
        Assert.Null(_served);
        AssertCounts();
    }

    [Fact]
    public async Task Sender_that_closes_in_the_middle_of_its_header_is_not_served()
    {
        await WriteAsync(Header[..20]);
        await _fromSender.Writer.CompleteAsync();
        await ServeAsync();
        Assert.Null(_served);
    }

    [Fact]
    public async Task Reset_of_the_sender_ends_the_wait()
    {
        Task serving = ServeAsync();
        await _fromSender.Writer.CompleteAsync(new ConnectionResetException("reset"));
        await serving.WaitAsync(Patience);
        Assert.Null(_served);
        AssertCounts();
    }

    [Fact]
    public async Task End_of_the_proxy_ends_the_wait_and_is_no_timeout()
    {
        using var closing = new CancellationTokenSource();
        _connection.Features.Set<IConnectionLifetimeNotificationFeature>(new Closing { ConnectionClosedRequested = closing.Token });
        Task serving = ServeAsync();
        await closing.CancelAsync();
        await serving.WaitAsync(Patience);
        Assert.Null(_served);
        AssertCounts();
    }

    private async Task ServeAsync()
    {
        var middleware = new ProxyProtocolMiddleware(
            new TrustedNetworks(["10.0.0.0/8"]), Limit, _counters, _time, NullLogger<ProxyProtocolMiddleware>.Instance);
        await middleware.ServeAsync(_connection, async connection =>
        {
            ReadResult result = await connection.Transport.Input.ReadAsync();
            _served = Encoding.Latin1.GetString(result.Buffer.ToArray());
            connection.Transport.Input.AdvanceTo(result.Buffer.End);
        });
    }

    private async Task WriteAsync(string bytes) => await _fromSender.Writer.WriteAsync(Encoding.Latin1.GetBytes(bytes));

    private void AssertCounts(long proxied = 0, long local = 0, long malformed = 0, long untrusted = 0, long timeout = 0) => Assert.Equal(
        (proxied, local, malformed, untrusted, timeout),
        (_counters.ProxiedCount, _counters.LocalCount, _counters.MalformedCount, _counters.UntrustedCount, _counters.TimeoutCount));

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Connection : ConnectionContext
    {
        public override string ConnectionId { get; set; } = "one";

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public override required IDuplexPipe Transport { get; set; }

        public string? AbortReason { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => AbortReason = abortReason.Message;
    }

    private sealed class Closing : IConnectionLifetimeNotificationFeature
    {
        public CancellationToken ConnectionClosedRequested { get; set; }

        public void RequestClose()
        {
        }
    }
}
