using System.Runtime.CompilerServices;
using WarpProxy.Configuration;
using WarpProxy.Protocol;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>docs/protocol.md says what is so.</summary>
public sealed class ProtocolDocumentTests
{
    [Fact]
    public void Example_is_a_configuration()
    {
        string document = Read();
        string example = document[(document.IndexOf("```jsonc\n", StringComparison.Ordinal) + "```jsonc\n".Length)..];
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, example[..example.IndexOf("```", StringComparison.Ordinal)]);
            ProxyOptions options = ProxyOptions.Read(ConfigurationSources.Load(file, []));
            ProtocolPolicy[] policies = [.. options.Listeners.OrderBy(static listener => listener.Name).Select(static listener => new ProtocolPolicy(listener.Options.Protocol!))];
            Assert.Equal([9, 3, 20], policies.Select(static policy => policy.CipherSuites.Count(static suite => suite.Name != "TLS_RSA_WITH_3DES_EDE_CBC_SHA")));
            Assert.Equal(["h2"], policies[1].ApplicationProtocols);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Every_setting_is_in_the_table()
    {
        string document = Read();
        Assert.All(SettingTypes.SettingsOf(typeof(ProtocolOptions)), setting => Assert.Contains($"| `{setting.Name}` |", document, StringComparison.Ordinal));
    }

    private static string Read([CallerFilePath] string path = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs/protocol.md"));
}
