using MediaTypeHeaderValue = Microsoft.Net.Http.Headers.MediaTypeHeaderValue;

namespace WarpProxy.Admin;

/// <summary>
/// Lets in who shows the token: programs as <c>Authorization: Bearer TOKEN</c>, browsers once, in a form or as <c>/?token=TOKEN</c>, and from then on as a cookie.
/// Whether the process is well, everybody may ask.
/// </summary>
internal sealed class AdminAccess(AdminToken token)
{
    private const string Bearer = "Bearer ";
    private const string Field = "token";
    private const string FormType = "application/x-www-form-urlencoded";

    /// <summary>Goes on to what was asked for, or says what is missing.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (request.Path == HealthEndpoints.Health || request.Path == HealthEndpoints.Ready)
        {
            await next(context);
        }
        else if (request.Path == "/" && HttpMethods.IsPost(request.Method) && !IsForm(request))
        {
            // Multipart forms of strangers would be parsed for nothing: ours is none.
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync($"The token is posted as {FormType}.\n");
        }
        else if (request.Path == "/" && await ReadGivenAsync(request) is { } given)
        {
            await SignInAsync(context, given);
        }
        else
        {
            await GuardAsync(context, next);
        }
    }

    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        // Asked for before the token is looked at: should it be replaced in between, what follows ends at once.
        var admission = new OperatorAdmission(token.Replaced);
        if (IsAllowed(context.Request))
        {
            context.Features.Set(admission);
            await next(context);
        }
        else
        {
            await RefuseAsync(context, isWrong: context.Request.Headers.Authorization.Count > 0);
        }
    }

    // Browsers send cookies to every port of a host: each proxy there has its own.
    private static string CookieName(HttpRequest request) => $"warpproxy-admin-{request.HttpContext.Connection.LocalPort}";

    private static bool IsForm(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type) && type.MediaType.Equals(FormType, StringComparison.OrdinalIgnoreCase);

    private bool IsAllowed(HttpRequest request) => request.Headers.Authorization.ToString() is var header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
        ? token.IsToken(header[Bearer.Length..].Trim())
        : request.Cookies.TryGetValue(CookieName(request), out string? cookie) && token.IsCookie(cookie);

    /// <summary>What a browser gives: as the form, or in the address. Null: nothing.</summary>
    private static async Task<string?> ReadGivenAsync(HttpRequest request)
    {
        if (!HttpMethods.IsPost(request.Method))
        {
            return request.Query[Field] is [{ } value] ? value : null;
        }

        try
        {
            return (await request.ReadFormAsync())[Field] is [{ } value] ? value : "";
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return "";      // no form that a browser makes of ours, or too long, or not all of it
        }
    }

    /// <summary>Gives the cookie, and leads away from an address that has the token in it.</summary>
    private Task SignInAsync(HttpContext context, string given)
    {
        given = given.Trim();
        if (!token.IsToken(given))
        {
            return RefuseAsync(context, isWrong: true);
        }

        context.Response.Cookies.Append(
            CookieName(context.Request), AdminToken.CookieFor(given), new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true });
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/";
        return Task.CompletedTask;
    }

    private static Task RefuseAsync(HttpContext context, bool isWrong)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"warpproxy\"";
        if (context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.ContentSecurityPolicy = SignInPage.ContentSecurityPolicy;
            context.Response.ContentType = "text/html; charset=utf-8";
            return context.Response.WriteAsync(SignInPage.ToHtml(isWrong));
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            isWrong ? "This is not the token in Server:AdminTokenFile.\n" : "A token is needed, the one in Server:AdminTokenFile: 'Authorization: Bearer TOKEN'.\n");
    }
}
