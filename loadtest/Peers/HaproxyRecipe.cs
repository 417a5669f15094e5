using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Peers;

/// <summary>haproxy with one thread.</summary>
internal sealed class HaproxyRecipe : IServerRecipe
{
    private const string ConfigurationFile = "haproxy.cfg";

    private static readonly string? Program = Executable.FindInstalled("haproxy");

    public string Name => "haproxy";

    public bool IsRequired => false;

    public string? FindObstacle() => Program is null ? "haproxy is not on the PATH and not in /usr/sbin." : null;

    // "HAProxy version 2.6.12-1+deb12u1 2023/12/16 - https://haproxy.org/", and more lines.
    public string ReadVersion() => "haproxy/" + ToolVersion.Read(Program!, "-v").Split(' ').ElementAtOrDefault(2);

    // http-reuse always: as nginx with keepalive and YARP do, also for the first request of a connection.
    public ServerSetup SetUp(ServerSite site) => new(
        ConfigurationFile,
        $"""
        global
            nbthread 1
            maxconn 4096

        defaults
            mode http
            timeout connect 5s
            timeout client 30s
            timeout server 30s
            http-reuse always

        frontend https
            bind 127.0.0.1:{site.Port} ssl crt {ServerIdentity.CombinedFile} ssl-min-ver TLSv1.2
            default_backend origin

        backend origin
            server origin 127.0.0.1:{site.OriginPort}

        """,
        [new ServerCommand(Program ?? "haproxy", ["-db", "-f", ConfigurationFile])]);
}
