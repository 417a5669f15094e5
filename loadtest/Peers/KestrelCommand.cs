using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace WarpProxy.LoadTest.Peers;

/// <summary>The process that <c>peers</c> starts as Kestrel: what the templates of ASP.NET and YARP make, set up by appsettings.json of its folder.</summary>
internal static class KestrelCommand
{
    public const string Name = "peer-kestrel";

    public static Command Create()
    {
        var command = new Command(Name, "The Kestrel that 'peers' starts.") { Hidden = true };
        command.SetAction(static async (_, token) =>
        {
            WebApplicationBuilder builder = WebApplication.CreateBuilder(
                new WebApplicationOptions { ContentRootPath = Environment.CurrentDirectory });
            builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
            await using WebApplication application = builder.Build();
            application.MapReverseProxy();
            await application.StartAsync(token);
            await application.WaitForShutdownAsync(token);
            return 0;
        });
        return command;
    }
}
