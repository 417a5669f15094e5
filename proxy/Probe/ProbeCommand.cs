using System.Globalization;
using System.Net;
using System.Text;
using WarpProxy.Configuration;

namespace WarpProxy.Probe;

/// <summary>
/// <c>warpproxy probe URL</c>: asks a proxy how it is, for health checks in images that have neither a shell nor curl. No variable of the environment
/// leads it elsewhere, and no redirection is followed.
/// </summary>
internal static class ProbeCommand
{
    /// <summary>Where a proxy with the customary <c>Server:Metrics</c> tells whether it is ready.</summary>
    public const string DefaultUrl = "http://127.0.0.1:9902/readyz";

    // As much of the answer as whoever looks at a failed check wants to read.
    private const int MaxShownBytes = 4096;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Parses what was given.</summary>
    /// <exception cref="BadInputException">It is no URL that can be asked.</exception>
    public static Uri ParseUrl(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Scheme == Uri.UriSchemeHttp && parsed.Host.Length > 0 && parsed.UserInfo.Length == 0
            ? parsed
            : throw new BadInputException($"The URL to probe is '{url}'; it must be one with http, such as {DefaultUrl}.");

    /// <summary>Asks, for at most two seconds, and tells the answer.</summary>
    /// <param name="url">What to GET.</param>
    /// <param name="output">Gets the status and what came with it, or why there is none.</param>
    /// <returns>The exit code: 0 when the status is 200, else 1.</returns>
    public static async Task<int> RunAsync(Uri url, TextWriter output)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false };
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using HttpResponseMessage response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            string text = await ReadAsync(response.Content, limit.Token);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{url} answers {(int)response.StatusCode}: {text}"));
            return response.StatusCode == HttpStatusCode.OK ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{url} did not answer within {Limit.TotalSeconds} seconds."));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            await output.WriteLineAsync($"{url} cannot be asked: {failure.Message.TrimEnd('.')}.");
        }

        return 1;
    }

    /// <summary>The beginning of a body.</summary>
    private static async Task<string> ReadAsync(HttpContent content, CancellationToken stopping)
    {
        byte[] bytes = new byte[MaxShownBytes];
        await using Stream stream = await content.ReadAsStreamAsync(stopping);
        int count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, stopping);
        return Encoding.UTF8.GetString(bytes, 0, count).TrimEnd();
    }
}
