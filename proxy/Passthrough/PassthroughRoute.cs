namespace WarpProxy.Passthrough;

/// <summary>One entry of a listener's <c>Passthrough</c>, ready for use. Any thread.</summary>
internal sealed class PassthroughRoute
{
    /// <summary>Makes it.</summary>
    /// <param name="listener">The listener's name.</param>
    /// <param name="name">The entry's.</param>
    /// <param name="options">Validated.</param>
    /// <exception cref="ArgumentException">They are not.</exception>
    public PassthroughRoute(string listener, string name, PassthroughOptions options)
    {
        Listener = listener;
        Name = name;
        Options = options;
        Upstream = UpstreamAddress.TryParse(options.Upstream, out UpstreamAddress? upstream)
            ? upstream
            : throw new ArgumentException($"'{options.Upstream}' is no host with a port.", nameof(options));
    }

    /// <summary>The listener's name.</summary>
    public string Listener { get; }

    /// <summary>The entry's.</summary>
    public string Name { get; }

    /// <summary>As configured.</summary>
    public PassthroughOptions Options { get; }

    /// <summary>Where connections go on to.</summary>
    public UpstreamAddress Upstream { get; }

    /// <summary>What became of its connections.</summary>
    public PassthroughCounters Counters { get; } = new();
}
