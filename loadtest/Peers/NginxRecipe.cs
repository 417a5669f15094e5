using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Peers;

/// <summary>nginx with one worker process.</summary>
/// <param name="hasTickets">Whether it issues session tickets, which is its default.</param>
/// <param name="connections">The most that it holds, those to the origin included.</param>
/// <param name="idleSeconds">How long it keeps a connection without a request; its default.</param>
internal sealed class NginxRecipe(bool hasTickets, int connections = 4096, int idleSeconds = 75) : IServerRecipe
{
    private const string ConfigurationFile = "nginx.conf";

    private static readonly string? Program = Executable.FindInstalled("nginx");

    public string Name => hasTickets ? "nginx" : "nginx, no tickets";

    public bool IsRequired => false;

    public string? FindObstacle() => Program is null ? "nginx is not on the PATH and not in /usr/sbin." : null;

    // "nginx version: nginx/1.22.1" on standard error.
    public string ReadVersion() => ToolVersion.Read(Program!, "-v").Replace("nginx version: ", "", StringComparison.Ordinal);

    public ServerSetup SetUp(ServerSite site) => new(
        ConfigurationFile,
        $$"""
        daemon off;
        worker_processes 1;
        pid nginx.pid;
        error_log stderr error;

        events {
            worker_connections {{connections}};
        }

        http {
            access_log off;
            keepalive_timeout {{idleSeconds}};
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;

            upstream origin {
                server 127.0.0.1:{{site.OriginPort}};
                keepalive 64;
            }

            server {
                listen 127.0.0.1:{{site.Port}} ssl;
                ssl_certificate {{ServerIdentity.CertificateFile}};
                ssl_certificate_key {{ServerIdentity.KeyFile}};
                ssl_protocols TLSv1.2 TLSv1.3;
        {{(hasTickets ? "" : "        ssl_session_tickets off;\n")}}
                location / {
                    proxy_pass http://origin;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                }
            }
        }

        """,
        [new ServerCommand(Program ?? "nginx", ["-p", ".", "-e", "stderr", "-c", ConfigurationFile])]);
}
