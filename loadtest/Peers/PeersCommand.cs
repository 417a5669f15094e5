using System.CommandLine;
using WarpProxy.LoadTest.Compare;

namespace WarpProxy.LoadTest.Peers;

/// <summary><c>warp-loadtest peers</c>: other servers that end TLS, and WarpProxy, each on the same processor.</summary>
internal static class PeersCommand
{
    public static Command Create()
    {
        var nginx = new NginxRecipe(hasTickets: true);
        return ComparisonVerb.Create(
            "peers",
            "nginx, haproxy, Kestrel and WarpProxy on the same processor with the same certificate, in interleaved rounds.",
            nginx.Name,
            new ComparisonArguments(sizes: "2048,4096", tls: "1.3,1.2", connections: "32"),
            programs =>
            [
                nginx,
                new NginxRecipe(hasTickets: false),
                new HaproxyRecipe(),
                new KestrelRecipe(),
                new WarpProxyRecipe("WarpProxy device", "device", programs),
                new WarpProxyRecipe("WarpProxy software", "software", programs),
            ]);
    }
}
