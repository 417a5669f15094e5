using System.Reflection;

namespace WarpProxy.Live;

/// <summary>The files of the live page, which are part of the program: the page needs nothing from elsewhere.</summary>
internal static class PageFiles
{
    /// <summary>What the page may do: only what comes from here, no script in the page itself, no frame around it.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly (string Path, string Name, string Type)[] Files =
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/page.css", "page.css", "text/css; charset=utf-8"),
        ("/page.js", "page.js", "text/javascript; charset=utf-8"),
        ("/charts.js", "charts.js", "text/javascript; charset=utf-8"),
        ("/panels.js", "panels.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        ("/uplot.js", "uplot.js", "text/javascript; charset=utf-8"),
        ("/uplot.css", "uplot.css", "text/css; charset=utf-8"),
    ];

    /// <summary>Adds them all.</summary>
    public static void MapTo(WebApplication application)
    {
        foreach ((string path, string name, string type) in Files)
        {
            byte[] content = Read(name);
            application.MapGet(path, context =>
            {
                context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
                context.Response.ContentType = type;
                context.Response.ContentLength = content.Length;
                return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
            });
        }
    }

    private static byte[] Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"page/{name}")!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
