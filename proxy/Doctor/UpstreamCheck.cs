using System.Globalization;
using System.Net;
using System.Net.Sockets;
using WarpProxy.Configuration;
using WarpProxy.Passthrough;

namespace WarpProxy.Doctor;

/// <summary>Whether the servers behind the proxy take connections now. They may be started later, so that none of them is more than a warning.</summary>
internal sealed class UpstreamCheck(ProxyOptions options) : ICheck
{
    // At once; the rest waits.
    private const int MaxAtOnce = 32;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public string Name => "upstream";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        (string Name, EndPoint? EndPoint)[] upstreams = [.. FindDestinations(), .. FindPassthrough()];
        if (upstreams.Length == 0)
        {
            yield return Finding.Ok(Name, null, "none is configured: a demo page is served");
        }

        foreach ((string Name, EndPoint? EndPoint)[] some in upstreams.Chunk(MaxAtOnce))
        {
            foreach (Finding finding in Task.WhenAll(some.Select(one => ConnectAsync(one.Name, one.EndPoint))).GetAwaiter().GetResult())
            {
                yield return finding;
            }
        }
    }

    private IEnumerable<(string, EndPoint?)> FindDestinations() => options.ReverseProxy.Clusters.SelectMany(static cluster =>
        (cluster.Value.Destinations ?? new Dictionary<string, Yarp.ReverseProxy.Configuration.DestinationConfig>()).Select(destination => (
            $"{cluster.Key}/{destination.Key}",
            Uri.TryCreate(destination.Value.Address, UriKind.Absolute, out Uri? uri) && uri.Port > 0 ? (EndPoint?)new DnsEndPoint(uri.IdnHost, uri.Port) : null)));

    private IEnumerable<(string, EndPoint?)> FindPassthrough() => options.Listeners.SelectMany(static listener => listener.Options.Passthrough.Select(one => (
        $"{listener.Name}/{one.Key}", UpstreamAddress.TryParse(one.Value.Upstream, out UpstreamAddress? address) ? address.EndPoint : null)));

    private async Task<Finding> ConnectAsync(string name, EndPoint? upstream)
    {
        if (upstream is null)
        {
            return Finding.Warning(Name, name, "has no address that could be connected to", "See the check of the configuration");
        }

        string address = upstream is DnsEndPoint host ? string.Create(CultureInfo.InvariantCulture, $"{host.Host}:{host.Port}") : upstream.ToString()!;
        const string Advice = "Until it answers, its requests get 502: start it, or look at names, routes and firewalls";
        using var limit = new CancellationTokenSource(ConnectLimit);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(upstream, limit.Token);
            return Finding.Ok(Name, name, $"{address} takes connections");
        }
        catch (OperationCanceledException)
        {
            return Finding.Warning(Name, name, $"{address}: no answer within {ConnectLimit.TotalSeconds} s", Advice);
        }
        catch (SocketException exception)
        {
            return Finding.Warning(Name, name, $"{address}: {exception.Message.TrimEnd('.')}", Advice);
        }
    }
}
