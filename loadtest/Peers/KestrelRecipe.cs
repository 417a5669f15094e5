using System.Runtime.InteropServices;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Peers;

/// <summary>Kestrel as ASP.NET ships it, with YARP in front of the origin: what one has without WarpProxy.</summary>
internal sealed class KestrelRecipe : IServerRecipe
{
    public string Name => "Kestrel";

    public bool IsRequired => false;

    public string? FindObstacle() => null;

    public string ReadVersion() => $"Kestrel of {RuntimeInformation.FrameworkDescription}, YARP {typeof(Yarp.ReverseProxy.IProxyStateLookup).Assembly.GetName().Version?.ToString(3)}";

    public ServerSetup SetUp(ServerSite site) => new(
        "appsettings.json",
        $$"""
        {
          "Kestrel": {
            "Endpoints": {
              "Https": {
                "Url": "https://127.0.0.1:{{site.Port}}",
                "Certificate": { "Path": "{{ServerIdentity.CertificateFile}}", "KeyPath": "{{ServerIdentity.KeyFile}}" }
              }
            }
          },
          "ReverseProxy": {{YarpSection.Write(site.OriginPort)}},
          "Logging": { "LogLevel": { "Default": "Warning" } }
        }

        """,
        [ServerCommand.OfThisProgram(KestrelCommand.Name)]);
}
