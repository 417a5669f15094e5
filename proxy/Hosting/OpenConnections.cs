using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace WarpProxy.Hosting;

/// <summary>Counts the connections of clients, from when they are accepted until they have ended. Any thread.</summary>
internal sealed class OpenConnections
{
    private int _count;

    /// <summary>How many there are now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Has those of an endpoint counted. To be called before anything else is put on it.</summary>
    public void Configure(ListenOptions endpoint) => endpoint.Use(next => async connection =>
    {
        Interlocked.Increment(ref _count);
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    });
}
