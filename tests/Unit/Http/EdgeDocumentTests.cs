using System.Runtime.CompilerServices;
using WarpProxy.Configuration;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.Passthrough;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Tests.Unit.Http;

/// <summary>docs/proxy-protocol.md, docs/passthrough.md and docs/http.md say what is so.</summary>
public sealed class EdgeDocumentTests
{
    [Fact]
    public void Example_of_the_PROXY_protocol_is_a_configuration()
    {
        ProxyOptions options = ReadExample("proxy-protocol.md");
        Assert.Equal(["plain", "public"], options.Listeners.Select(listener => listener.Name));
        Assert.All(options.Listeners, listener => Assert.Equal(ProxyProtocolMode.Required, listener.Options.ProxyProtocol));
        Assert.Equal([1, 3], options.Listeners.Select(listener => listener.Options.ProxyProtocolFrom.Count));
    }

    [Fact]
    public void Example_of_passthrough_is_a_configuration()
    {
        Listener listener = Assert.Single(ReadExample("passthrough.md").Listeners);
        var routes = new PassthroughRoutes(listener.Name, listener.Options.Passthrough);
        Assert.True(routes.TryFind("www.legacy.example", out PassthroughRoute? legacy));
        Assert.False(legacy.Options.SendProxyProtocol);
        Assert.True(routes.TryFind("mail.example", out PassthroughRoute? mail));
        Assert.True(mail.Options.SendProxyProtocol);
        Assert.Equal(TimeSpan.FromHours(1), mail.Options.IdleTimeout);
    }

    [Fact]
    public void Example_of_HTTP_is_a_configuration()
    {
        ProxyOptions options = ReadExample("http.md");
        Assert.Equal(["internal", "plain", "public"], options.Listeners.Select(listener => listener.Name));
        Assert.Equal(
            [null, "max-age=31536000; includeSubDomains"],
            options.Listeners.Where(listener => listener.Address.IsHttps).Select(listener => listener.Options.Hsts!.ToHeader()));
        Assert.True(HttpsRedirect.TryParsePort(options.Listeners[1].Options.RedirectToHttps, out int? port));
        Assert.Equal(443, port);
        Assert.True(options.Listeners[1].Options.ServeAcmeChallenges);
    }

    [Fact]
    public void Every_setting_is_in_a_table()
    {
        AssertSettings("passthrough.md", SettingTypes.SettingsOf(typeof(PassthroughOptions)).Select(setting => setting.Name));
        AssertSettings("http.md", SettingTypes.SettingsOf(typeof(HstsOptions)).Select(setting => setting.Name));
        AssertSettings("proxy-protocol.md", [nameof(ListenerOptions.ProxyProtocol), nameof(ListenerOptions.ProxyProtocolFrom)]);
    }

    private static void AssertSettings(string document, IEnumerable<string> names) =>
        Assert.All(names, name => Assert.Contains($"| `{name}` |", Read(document), StringComparison.Ordinal));

    private static ProxyOptions ReadExample(string name)
    {
        const string Begin = "```json\n";
        string document = Read(name);
        string example = document[(document.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..];
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, example[..example.IndexOf("```", StringComparison.Ordinal)]);
            return ProxyOptions.Read(ConfigurationSources.Load(file, []));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Read(string name, [CallerFilePath] string path = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs", name));
}
