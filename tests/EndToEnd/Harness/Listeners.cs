namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>Where a proxy listens besides <c>--urls</c>.</summary>
internal static class Listeners
{
    /// <summary>The URLs of section <c>Listeners</c>, in the order of their names.</summary>
    public static async Task<Uri[]> OfAsync(ProxyProcess proxy, int count)
    {
        Uri[] urls = [];
        await Eventually.TrueAsync($"warpproxy says where its {count} listeners are", () =>
        {
            urls =
            [
                .. proxy.Process.Output
                    .Where(line => line.Contains("Serving http", StringComparison.Ordinal))
                    .Select(line => new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..]))
                    .Skip(1),
            ];
            return urls.Length == count;
        });
        return urls;
    }
}
