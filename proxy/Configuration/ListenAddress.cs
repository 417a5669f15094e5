using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace WarpProxy.Configuration;

/// <summary>One URL to listen on: <c>https://localhost:8443</c>, <c>http://127.0.0.1:8080</c>, <c>https://*:443</c>, <c>https://[::]:443</c>.</summary>
internal sealed record ListenAddress(bool IsHttps, string Host, IPAddress? Address, int Port)
{
    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLoopback => Address is null ? Host == "localhost" : IPAddress.IsLoopback(Address);

    /// <summary>The URL again, in its short form.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(IsHttps ? "https" : "http")}://{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}");

    /// <summary>Parses a list separated by semicolons. <paramref name="problem"/> is a sentence that begins with <paramref name="setting"/>.</summary>
    public static bool TryParseList(string urls, string setting, out IReadOnlyList<ListenAddress> addresses, out string problem)
    {
        var parsed = new List<ListenAddress>();
        addresses = parsed;
        problem = "";
        foreach (string url in urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryParse(url, setting, out ListenAddress? address, out problem))
            {
                return false;
            }

            parsed.Add(address);
        }

        if (parsed.Count == 0)
        {
            problem = $"{setting} is empty; it must have at least one URL such as https://localhost:8443.";
        }

        return problem.Length == 0;
    }

    /// <summary>Parses one URL.</summary>
    public static bool TryParse(string url, string setting, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ListenAddress? address, out string problem)
    {
        address = null;
        problem = "";
        bool isHttps = url.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        if (!isHttps && !url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            problem = $"{setting} has '{url}'; it must be a URL with http or https, such as https://localhost:8443.";
            return false;
        }

        BindingAddress binding;
        try
        {
            binding = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            problem = $"{setting} has '{url}'; it must be a URL such as https://localhost:8443.";
            return false;
        }

        if (binding.PathBase.Length > 0)
        {
            problem = $"{setting} has '{url}'; it must end after the port, without the path '{binding.PathBase}'.";
            return false;
        }

        if (binding.Port is < 0 or > 65535)
        {
            problem = $"{setting} has '{url}'; its port must be between 0 and 65535.";
            return false;
        }

        bool isAny = binding.Host is "*" or "+";
        bool isLocalhost = binding.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        IPAddress? ip = null;
        if (!isAny && !isLocalhost && !IPAddress.TryParse(binding.Host.Trim('[', ']'), out ip))
        {
            problem = $"{setting} has '{url}'; its host must be localhost, an IP address or *.";
            return false;
        }

        if (isLocalhost && binding.Port == 0)
        {
            problem = $"{setting} has '{url}'; a port chosen by the system (0) needs an address such as 127.0.0.1.";
            return false;
        }

        address = new ListenAddress(isHttps, isLocalhost ? "localhost" : isAny ? "*" : ip!.ToString(), ip, binding.Port);
        return true;
    }

    /// <summary>Adds the endpoint to Kestrel.</summary>
    public void Listen(KestrelServerOptions kestrel, Action<ListenOptions> configure)
    {
        if (Address is not null)
        {
            kestrel.Listen(Address, Port, configure);
        }
        else if (Host == "*")
        {
            kestrel.ListenAnyIP(Port, configure);
        }
        else
        {
            kestrel.ListenLocalhost(Port, configure);
        }
    }
}
