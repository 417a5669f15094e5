using System.Runtime.CompilerServices;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>docs/certificates.md says what is so.</summary>
public sealed class CertificateDocumentTests
{
    private const string Begin = "```jsonc\n";

    [Fact]
    public void Example_of_the_document_is_read_as_it_says()
    {
        string text = Document();
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        using var folder = new PemFolder();
        string file = folder.Write("config.json", text[begin..text.IndexOf("```", begin, StringComparison.Ordinal)]);
        ProxyOptions options = ProxyOptions.Read(ConfigurationSources.Load(file, []));
        Assert.Equal(["customers", "legacy", "shop", "shop-ecdsa"], options.Certificates.Select(static one => one.Key).Order(StringComparer.Ordinal));
        Assert.Equal("/etc/warpproxy/customers", options.Certificates.Single(static one => one.Key == "customers").Value.Directory);
        Assert.Equal(OffloadPath.Software, options.Certificates.Single(static one => one.Key == "legacy").Value.Path);
        Assert.True(options.UsesDevices);
        Assert.Equal(TimeSpan.FromDays(21), options.CertificateExpiry.WarnBefore);
        Assert.Equal(["shop", "shop-ecdsa"], options.Listeners.Single(static listener => listener.Name == "private").Options.Certificates);
    }

    [Fact]
    public void Every_setting_is_in_the_document()
    {
        string text = Document();
        foreach (string setting in typeof(CertificateOptions).GetProperties().Where(static one => one.SetMethod is not null).Select(static one => one.Name))
        {
            Assert.Contains($"| `{setting}` |", text, StringComparison.Ordinal);
        }
    }

    private static string Document([CallerFilePath] string path = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs/certificates.md"));
}
