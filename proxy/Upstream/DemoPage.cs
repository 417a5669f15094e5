using System.Globalization;
using System.Net;
using System.Text;
using WarpProxy.Offload;

namespace WarpProxy.Upstream;

/// <summary>What the demo upstream shows: as HTML to browsers, as text to curl.</summary>
/// <param name="HttpProtocol">Of the client: <c>HTTP/2</c>.</param>
/// <param name="Tls">Of the client: <c>Tls13 TLS_AES_256_GCM_SHA384</c>, or <c>none</c>.</param>
/// <param name="Url">As the client gave it.</param>
/// <param name="Accelerator">The devices in use.</param>
/// <param name="Operations">Private-key operations so far.</param>
/// <param name="StatusUrl">Of the admin listener.</param>
internal sealed record DemoPage(
    string HttpProtocol, string Tls, string Url, string Accelerator, OperationSnapshot Operations, string StatusUrl)
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1b1f24; --soft: #5a6470; --line: #d8dee4; --paper: #fff; --raised: #f5f7f9; --accent: #0a6c74; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e6e9ed; --soft: #9aa5b1; --line: #343b44; --paper: #14181d; --raised: #1c2229; --accent: #5cc5ce; }
        }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
        main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
        h1 { margin: 0 0 .5rem; font-size: 1.75rem; letter-spacing: -.01em; }
        h2 { margin: 2.25rem 0 .75rem; font-size: 1.05rem; }
        p { margin: 0 0 1rem; }
        .way { color: var(--soft); }
        .way b { color: var(--accent); font-weight: 600; }
        dl { display: grid; grid-template-columns: max-content 1fr; margin: 1.5rem 0; border-top: 1px solid var(--line); }
        dt, dd { margin: 0; padding: .5rem 0; border-bottom: 1px solid var(--line); }
        dt { padding-right: 1.5rem; color: var(--soft); }
        dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        pre { margin: 0; padding: .9rem 1rem; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; font: 13.5px/1.6 ui-monospace, monospace; }
        @media (max-width: 32rem) { dl { display: block; } dt { border: 0; padding-bottom: 0; } dd { padding-top: 0; } }
        """;

    private IEnumerable<(string Name, string Value)> Facts =>
    [
        ("You asked for", Url),
        ("Protocol", HttpProtocol),
        ("TLS", Tls),
        ("Accelerator", Accelerator),
        ("Private-key operations", Operations.ToString()),
        ("See it live", $"{StatusUrl}/"),
    ];

    private IEnumerable<string> Commands =>
    [
        $"curl {StatusUrl}/status",
        "warpproxy --help",
        "warpproxy --config FILE     # with a section ReverseProxy",
    ];

    /// <summary>For browsers. Needs nothing from elsewhere.</summary>
    public string ToHtml()
    {
        var facts = new StringBuilder();
        foreach ((string name, string value) in Facts)
        {
            facts.Append(CultureInfo.InvariantCulture, $"      <dt>{WebUtility.HtmlEncode(name)}</dt><dd>{WebUtility.HtmlEncode(value)}</dd>\n");
        }

        return $"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>WarpProxy is serving</title>
              <link rel="icon" href="data:,">
              <style>
            {Style}
              </style>
            </head>
            <body>
              <main>
                <h1>WarpProxy is serving</h1>
                <p class="way">you → <b>TLS</b> → WarpProxy → this page's upstream</p>
                <p>This page comes from the built-in demo upstream. WarpProxy ended your TLS connection, had the
                  private-key operation of its handshake computed, and forwarded the request here.</p>
                <dl>
            {facts}    </dl>
                <p>Reload in a new connection and the number of operations grows; a browser that resumes its session
                  needs no operation.</p>
                <h2>Next</h2>
                <pre>{WebUtility.HtmlEncode(string.Join('\n', Commands))}</pre>
              </main>
            </body>
            </html>

            """;
    }

    /// <summary>For terminals.</summary>
    public string ToText()
    {
        var text = new StringBuilder("WarpProxy is serving. This comes from the built-in demo upstream, through TLS and the proxy.\n\n");
        foreach ((string name, string value) in Facts)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {name,-24}{value}\n");
        }

        text.Append("\nNext:\n");
        foreach (string command in Commands)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {command}\n");
        }

        return text.ToString();
    }
}
