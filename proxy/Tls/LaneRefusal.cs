namespace WarpProxy.Tls;

/// <summary>Why a handshake got no lane.</summary>
internal enum LaneRefusal
{
    /// <summary>As many as <c>Tls:MaxWaiting</c> allows were waiting already.</summary>
    QueueFull,

    /// <summary>No lane became free within <c>Tls:LaneTimeout</c>.</summary>
    WaitTimeout,

    /// <summary>The proxy is stopping.</summary>
    Stopped,
}
