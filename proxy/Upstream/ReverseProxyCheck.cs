using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Configuration;
using WarpProxy.Hosting;
using Yarp.ReverseProxy.Configuration;

namespace WarpProxy.Upstream;

/// <summary>
/// Checks section <c>ReverseProxy</c>: what YARP refuses when it starts, without a path and one thing at a time, and what it accepts although no
/// request could be answered.
/// </summary>
internal sealed class ReverseProxyCheck(ReverseProxyOptions options, SettingProblems problems)
{
    private const string Routes = $"{ReverseProxyOptions.Section}:{nameof(ReverseProxyOptions.Routes)}";
    private const string Clusters = $"{ReverseProxyOptions.Section}:{nameof(ReverseProxyOptions.Clusters)}";
    private const string AddressKind = "it must be a URL with http or https, such as http://127.0.0.1:5000/";

    /// <summary>Adds every problem.</summary>
    public void Run()
    {
        if (options.Routes.Count == 0 && options.Clusters.Count == 0)
        {
            return;
        }

        if (options.Routes.Count == 0)
        {
            problems.Add($"{Clusters} has '{options.Clusters.Keys.First()}' but {Routes} has no route; without a route no cluster is used.");
        }

        WebApplicationBuilder builder = BareHost.CreateBuilder(NullLoggerFactory.Instance);
        builder.Services.AddReverseProxy();
        using ServiceProvider services = builder.Services.BuildServiceProvider();
        IConfigValidator validator = services.GetRequiredService<IConfigValidator>();
        foreach (RouteConfig route in options.NamedRoutes)
        {
            string path = $"{Routes}:{route.RouteId}";
            CheckCluster(route, $"{path}:{nameof(RouteConfig.ClusterId)}");
            AddAll(validator.ValidateRouteAsync(route), path);
        }

        foreach (ClusterConfig cluster in options.NamedClusters)
        {
            string path = $"{Clusters}:{cluster.ClusterId}";
            if (AreUrls(cluster, $"{path}:{nameof(ClusterConfig.Destinations)}"))
            {
                AddAll(validator.ValidateClusterAsync(cluster), path);
            }
        }
    }

    private void CheckCluster(RouteConfig route, string path)
    {
        string known = options.Clusters.Count > 0 ? $"there are {string.Join(", ", options.Clusters.Keys)}" : "there are none";
        if (string.IsNullOrEmpty(route.ClusterId))
        {
            problems.Add($"{path} is not set; it must be the name of a cluster; {known}.");
        }
        else if (!options.Clusters.TryGetValue(route.ClusterId, out ClusterConfig? cluster))
        {
            problems.Add($"{path} is '{route.ClusterId}', which is no cluster; {known}.");
        }
        else if (cluster.Destinations is not { Count: > 0 })
        {
            problems.Add($"{path} is '{route.ClusterId}', a cluster without a destination; it must have at least one.");
        }
    }

    private bool AreUrls(ClusterConfig cluster, string path)
    {
        int before = problems.Count;
        foreach ((string name, DestinationConfig destination) in cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
        {
            if (string.IsNullOrEmpty(destination.Address))
            {
                problems.Add($"{path}:{name}:Address is not set; {AddressKind}.");
            }
            else if (!IsUrl(destination.Address))
            {
                problems.Add($"{path}:{name}:Address is '{destination.Address}'; {AddressKind}.");
            }

            if (!string.IsNullOrEmpty(destination.Health) && !IsUrl(destination.Health))
            {
                problems.Add($"{path}:{name}:Health is '{destination.Health}'; {AddressKind}.");
            }
        }

        return problems.Count == before;
    }

    // YARP's checks wait for nothing.
    private void AddAll(ValueTask<IList<Exception>> validation, string path)
    {
        foreach (Exception problem in validation.AsTask().GetAwaiter().GetResult())
        {
            problems.Add($"{path} cannot be used: {problem.Message.ReplaceLineEndings(" ").TrimEnd('.')}.");
        }
    }

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.Host.Length > 0;
}
