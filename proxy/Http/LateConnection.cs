using Microsoft.AspNetCore.Connections.Features;

namespace WarpProxy.Http;

/// <summary>
/// Stands, in a connection whose handshake ended when the proxy was draining already, for Kestrel's wish that it close: Kestrel would close it before its
/// first request. This wish comes with that request, which is thus the last one, or when none comes.
/// </summary>
internal sealed class LateConnection : IConnectionLifetimeNotificationFeature, IDisposable
{
    private static readonly TimeSpan FirstRequestTime = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _closing;

    /// <summary>From now on the client has a moment for its request.</summary>
    public LateConnection(TimeProvider time) => _closing = new CancellationTokenSource(FirstRequestTime, time);

    /// <inheritdoc/>
    public CancellationToken ConnectionClosedRequested
    {
        get => _closing.Token;
        set => throw new NotSupportedException("When it closes is decided here.");
    }

    /// <summary>The middleware in front of the routes, while the proxy drains.</summary>
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        (context.Features.Get<IConnectionLifetimeNotificationFeature>() as LateConnection)?.RequestClose();
        return next(context);
    }

    /// <inheritdoc/>
    public void RequestClose() => _closing.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _closing.Dispose();
}
