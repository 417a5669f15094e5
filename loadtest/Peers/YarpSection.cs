namespace WarpProxy.LoadTest.Peers;

/// <summary>The same routing for both that route with YARP.</summary>
internal static class YarpSection
{
    /// <summary>Everything to the origin, as JSON, indented as the value of a member of the root.</summary>
    public static string Write(int originPort) => $$"""
        {
            "Routes": { "all": { "ClusterId": "origin", "Match": { "Path": "{**catch-all}" } } },
            "Clusters": { "origin": { "Destinations": { "one": { "Address": "http://127.0.0.1:{{originPort}}/" } } } }
          }
        """;
}
