using System.Diagnostics;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>What a tool answered.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}

/// <summary>Runs a tool to its end.</summary>
internal static class Tool
{
    public const string Curl = "/usr/bin/curl";
    public const string OpenSsl = "/usr/bin/openssl";
    public const string Python = "/usr/bin/python3";

    private static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(2);

    public static async Task<ToolResult> RunAsync(string path, IEnumerable<string> arguments, string input = "", TimeSpan? limit = null)
    {
        using var process = Process.Start(new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> error = process.StandardError.ReadToEndAsync();
            try
            {
                await process.StandardInput.WriteAsync(input);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading; its exit code and its words tell why.
            }

            await Task.WhenAll(output, error, process.WaitForExitAsync()).WaitAsync(limit ?? DefaultLimit);
            return new ToolResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                // A script's programs would go on without it, beside the tests that follow.
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>GET / of the proxy with curl, which verifies the certificate; asserts that it was served.</summary>
    public static async Task<ToolResult> GetWithCurlAsync(ProxyProcess proxy, string trusted, params string[] arguments)
    {
        ToolResult result = await RunAsync(
            Curl,
            [
                "--silent", "--show-error", "--max-time", "100", "--cacert", trusted, "--write-out", "\nHTTP/%{http_version} %{http_code}",
                .. arguments, proxy.Url.ToString(),
            ]);
        Assert.True(result.ExitCode == 0, $"curl: {result}");
        Assert.Contains("WarpProxy is serving", result.Output, StringComparison.Ordinal);
        return result;
    }

    /// <summary>GET / of the proxy with s_client, which verifies chain and name; asserts that it was served.</summary>
    public static async Task<ToolResult> GetWithOpenSslAsync(ProxyProcess proxy, string trusted, params string[] arguments)
    {
        ToolResult result = await RunAsync(
            OpenSsl,
            ["s_client", "-connect", proxy.HostAndPort, "-CAfile", trusted, "-verify_return_error", "-verify_ip", "127.0.0.1", "-ign_eof", .. arguments],
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.Contains("Verification: OK", result.Output, StringComparison.Ordinal);
        Assert.Contains("WarpProxy is serving", result.Output, StringComparison.Ordinal);
        return result;
    }
}
