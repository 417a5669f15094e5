using System.CommandLine;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace WarpProxy.LoadTest.Peers;

/// <summary>The process behind all servers of a comparison: answers every request with the same few bytes, over HTTP.</summary>
internal static class OriginCommand
{
    public const string Name = "peer-origin";

    private static readonly byte[] Response = Encoding.ASCII.GetBytes("The origin answers.\n");

    public static Command Create()
    {
        var port = new Option<int>("--port") { Required = true, Description = "Of 127.0.0.1." };
        var command = new Command(Name, "The origin that 'peers' and 'compare' start.") { port };
        command.Hidden = true;
        command.SetAction(async (parsed, token) =>
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.SetMinimumLevel(LogLevel.Warning);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, parsed.GetRequiredValue(port)));
            await using WebApplication application = builder.Build();
            application.Run(static context =>
            {
                context.Response.ContentType = "text/plain";
                context.Response.ContentLength = Response.Length;
                return context.Response.Body.WriteAsync(Response).AsTask();
            });
            await application.StartAsync(token);
            await application.WaitForShutdownAsync(token);
            return 0;
        });
        return command;
    }
}
