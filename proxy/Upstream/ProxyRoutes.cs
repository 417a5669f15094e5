using WarpProxy.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace WarpProxy.Upstream;

/// <summary>
/// Where YARP sends requests: the routes of the configuration, or the demo upstream when there are none. Others can take their place while it serves; what
/// is under way goes on where it began.
/// </summary>
internal sealed class ProxyRoutes(Func<Task<DemoUpstream>> startDemo) : IConfigChangeListener
{
    // YARP applies routes on the thread that gives them, unless it is doing so already.
    private static readonly TimeSpan ApplyTime = TimeSpan.FromSeconds(30);

    private InMemoryConfigProvider? _provider;
    private ReverseProxyOptions? _options;
    private TaskCompletionSource<Exception?>? _applied;

    /// <summary>Gives YARP the first routes.</summary>
    public async Task AddToAsync(IReverseProxyBuilder proxy, ReverseProxyOptions options)
    {
        (IReadOnlyList<RouteConfig> routes, IReadOnlyList<ClusterConfig> clusters) = await ReadAsync(options);
        _options = options;
        _provider = new InMemoryConfigProvider(routes, clusters);
        proxy.Services.AddSingleton<IProxyConfigProvider>(_provider);
        proxy.Services.AddSingleton<IConfigChangeListener>(this);
        proxy.AddTransforms(DemoUpstream.AddTransforms);
    }

    /// <summary>Gives it others. When it does not take them, it goes on with those that it has.</summary>
    /// <exception cref="BadInputException">It does not.</exception>
    public async Task ReplaceAsync(ReverseProxyOptions options)
    {
        if (await UpdateAsync(options) is { } refusal)
        {
            await UpdateAsync(_options!);
            throw new BadInputException($"Section {ReverseProxyOptions.Section} cannot be used: {Causes(refusal)}", refusal);
        }

        _options = options;
    }

    /// <summary>The innermost messages: YARP collects several problems in one exception.</summary>
    public static string Causes(Exception exception) => exception switch
    {
        AggregateException aggregate => string.Join(" ", aggregate.Flatten().InnerExceptions.Select(Causes)),
        { InnerException: { } inner } => Causes(inner),
        _ => exception.Message,
    };

    void IConfigChangeListener.ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) => _applied?.TrySetResult(exception);

    void IConfigChangeListener.ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        // Then it is applied.
    }

    void IConfigChangeListener.ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) => _applied?.TrySetResult(exception);

    void IConfigChangeListener.ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => _applied?.TrySetResult(null);

    private async Task<Exception?> UpdateAsync(ReverseProxyOptions options)
    {
        (IReadOnlyList<RouteConfig> routes, IReadOnlyList<ClusterConfig> clusters) = await ReadAsync(options);
        var applied = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _applied = applied;
        _provider!.Update(routes, clusters);
        try
        {
            return await applied.Task.WaitAsync(ApplyTime);
        }
        catch (TimeoutException exception)
        {
            return exception;
        }
    }

    private async Task<(IReadOnlyList<RouteConfig> Routes, IReadOnlyList<ClusterConfig> Clusters)> ReadAsync(ReverseProxyOptions options)
    {
        if (options.Routes.Count > 0)
        {
            return (options.NamedRoutes, options.NamedClusters);
        }

        DemoUpstream demo = await startDemo();
        return ([DemoUpstream.Route], [demo.Cluster]);
    }
}
