using Yarp.ReverseProxy.Configuration;

namespace WarpProxy.Upstream;

/// <summary>Section <c>ReverseProxy</c>: where requests go, as YARP documents it. Without routes a demo page is served.</summary>
internal sealed record ReverseProxyOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "ReverseProxy";

    /// <summary>Which requests go to which cluster, by name.</summary>
    public IReadOnlyDictionary<string, RouteConfig> Routes { get; init; } = new Dictionary<string, RouteConfig>();

    /// <summary>Servers that answer alike, by name.</summary>
    public IReadOnlyDictionary<string, ClusterConfig> Clusters { get; init; } = new Dictionary<string, ClusterConfig>();

    /// <summary>The routes as YARP takes them.</summary>
    public IReadOnlyList<RouteConfig> NamedRoutes =>
        [.. Routes.Select(static route => route.Value with { RouteId = route.Key, Match = route.Value.Match ?? new RouteMatch() })];

    /// <summary>The clusters as YARP takes them.</summary>
    public IReadOnlyList<ClusterConfig> NamedClusters => [.. Clusters.Select(static cluster => cluster.Value with { ClusterId = cluster.Key })];
}
