using System.Globalization;
using WarpProxy.Hosting;

namespace WarpProxy.Configuration;

/// <summary>Finds everything for which the start would be refused, without listening, opening devices or writing files.</summary>
internal static class ConfigurationCheck
{
    /// <summary>Checks what was read, and what its settings lead to: files, keys, OpenSSL's opinion.</summary>
    /// <param name="file">For the answer; null when there is none.</param>
    /// <param name="options">What was read.</param>
    /// <param name="problems">What was wrong with it so far.</param>
    /// <returns>One line that says what is configured.</returns>
    /// <exception cref="BadInputException">A line for each problem.</exception>
    public static async Task<string> RunAsync(string? file, ProxyOptions options, SettingProblems problems)
    {
        int certificates = await ProxyServer.CheckAsync(options, problems, TimeProvider.System);
        problems.ThrowIfAny();
        return $"{file ?? "The configuration"} is right: {Count(options.Listeners.Count, "listener")}, "
            + $"{Count(certificates, "certificate")}, {Count(options.ReverseProxy.Routes.Count, "route")}";
    }

    private static string Count(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");
}
