using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// So many clients that connect again and again, until told to stop, or disposed: those of a test that failed would call a port where nobody
/// listens any more, as fast as they can, and slow down every test after it.
/// </summary>
internal sealed class ClientCrowd : IAsyncDisposable
{
    // Of a client that was not served, before it comes again: it must not take the processors from those it waits for.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    // For a hundred connections and more, each with a full handshake: seconds, unless the machine is busy.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task[] _clients;
    private long _servedCount;
    private long _longestTicks;
    private volatile bool _isStopping;

    public ClientCrowd(int count, Uri url, X509Certificate2 trusted)
        : this(count, NewClient(url, trusted))
    {
    }

    /// <param name="count">Of clients that are connected at once.</param>
    /// <param name="connectAsync">One connection of the client with this number; throws when it was not served.</param>
    public ClientCrowd(int count, Func<int, Task> connectAsync) =>
        _clients = [.. Enumerable.Range(0, count).Select(client => Task.Run(() => RunAsync(client, connectAsync)))];

    /// <summary>Connections that were served from the handshake to the answer.</summary>
    public long ServedCount => Interlocked.Read(ref _servedCount);

    /// <summary>One line for each that was not.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Waits until <paramref name="count"/> more connections were served.</summary>
    public Task ServeMoreAsync(int count)
    {
        long goal = ServedCount + count;
        return Eventually.TrueAsync($"{count} more connections served", () => ServedCount >= goal, Patience);
    }

    /// <summary>The longest connection so far that was served.</summary>
    public TimeSpan Longest => TimeSpan.FromTicks(Volatile.Read(ref _longestTicks));

    /// <summary>Lets the connections under way end.</summary>
    public Task StopAsync()
    {
        _isStopping = true;
        return Task.WhenAll(_clients);
    }

    /// <summary>As <see cref="StopAsync"/>.</summary>
    public async ValueTask DisposeAsync() => await StopAsync();

    private static Func<int, Task> NewClient(Uri url, X509Certificate2 trusted)
    {
        var client = new TlsClient(url, trusted);
        return _ => client.GetAsync();
    }

    private async Task RunAsync(int client, Func<int, Task> connectAsync)
    {
        while (!_isStopping)
        {
            try
            {
                long start = Stopwatch.GetTimestamp();
                await connectAsync(client);
                Note(Stopwatch.GetElapsedTime(start).Ticks);
                Interlocked.Increment(ref _servedCount);
            }
            catch (Exception failure)
            {
                _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {failure.GetType().Name}: {failure.Message} {failure.InnerException?.Message}");
                await Task.Delay(Pause);
            }
        }
    }

    private void Note(long ticks)
    {
        long longest;
        while ((longest = Volatile.Read(ref _longestTicks)) < ticks && Interlocked.CompareExchange(ref _longestTicks, ticks, longest) != longest)
        {
        }
    }
}
