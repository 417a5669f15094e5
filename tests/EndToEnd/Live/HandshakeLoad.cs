using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Live;

/// <summary>Clients that connect again and again until it is disposed.</summary>
internal sealed class HandshakeLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task[] _clients;

    public HandshakeLoad(TlsClient client, int clients)
    {
        _clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            while (!_end.IsCancellationRequested)
            {
                await client.GetAsync();
            }
        }))];
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_clients);
        _end.Dispose();
    }
}
