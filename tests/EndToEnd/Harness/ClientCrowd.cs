using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>So many clients that connect again and again, until told to stop.</summary>
internal sealed class ClientCrowd
{
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task[] _clients;
    private long _servedCount;
    private volatile bool _isStopping;

    public ClientCrowd(int count, Uri url, X509Certificate2 trusted)
    {
        var client = new TlsClient(url, trusted);
        _clients = [.. Enumerable.Range(0, count).Select(_ => Task.Run(() => RunAsync(client)))];
    }

    /// <summary>Connections that were served from the handshake to the answer.</summary>
    public long ServedCount => Interlocked.Read(ref _servedCount);

    /// <summary>One line for each that was not.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Waits until <paramref name="count"/> more connections were served.</summary>
    public Task ServeMoreAsync(int count)
    {
        long goal = ServedCount + count;
        return Eventually.TrueAsync($"{count} more connections served", () => ServedCount >= goal);
    }

    /// <summary>Lets the connections under way end.</summary>
    public Task StopAsync()
    {
        _isStopping = true;
        return Task.WhenAll(_clients);
    }

    private async Task RunAsync(TlsClient client)
    {
        while (!_isStopping)
        {
            try
            {
                await client.GetAsync();
                Interlocked.Increment(ref _servedCount);
            }
            catch (Exception failure)
            {
                _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {failure.GetType().Name}: {failure.Message} {failure.InnerException?.Message}");
            }
        }
    }
}
