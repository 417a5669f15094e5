using System.Security.Cryptography;
using System.Text;

namespace WarpProxy.Admin;

/// <summary>The form for the token, which browsers get that have not shown it. Needs no other file, since those need the token.</summary>
internal static class SignInPage
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1b1f24; --soft: #5a6470; --line: #cfd6dd; --paper: #fff; --accent: #1f60c4; --bad: #b3261e; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa5b1; --line: #3d454f; --paper: #14181d; --accent: #6ea2f5; --bad: #f2938c; } }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 24rem; margin: 0 auto; padding: 18vh 1.25rem 3rem; }
        h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
        p { margin: 0 0 1.25rem; color: var(--soft); }
        p.bad { color: var(--bad); }
        label { display: block; margin-bottom: .35rem; font-weight: 600; }
        input, button { box-sizing: border-box; width: 100%; padding: .6rem .75rem; border-radius: 6px; font: inherit; }
        input { border: 1px solid var(--line); background: transparent; color: inherit; }
        button { margin-top: .9rem; border: 0; background: var(--accent); color: var(--paper); font-weight: 600; cursor: pointer; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        """;

    /// <summary>Nothing but this style, and a form that goes to where it came from.</summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The page.</summary>
    /// <param name="isWrong">Whether a token was given that is none.</param>
    public static string ToHtml(bool isWrong) => $"""
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>WarpProxy</title>
          <style>{Style}</style>
        </head>
        <body>
          <main>
            <h1>WarpProxy</h1>
            <p{(isWrong ? " class=\"bad\" role=\"alert\">This is not the token." : ">")} It stands in the file that Server:AdminTokenFile names.</p>
            <form method="post" action="/">
              <label for="token">Token</label>
              <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
              <button>Show the proxy</button>
            </form>
          </main>
        </body>
        </html>

        """;
}
