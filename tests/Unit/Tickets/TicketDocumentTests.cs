using System.Runtime.CompilerServices;
using WarpProxy.Configuration;
using WarpProxy.Tickets;

namespace WarpProxy.Tests.Unit.Tickets;

/// <summary>docs/tickets.md says what is so.</summary>
public sealed class TicketDocumentTests
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
            Assert.Equal(["partners", "public"], options.Listeners.Select(listener => listener.Name));
            Assert.Equal([false, true], options.Listeners.Select(listener => listener.Options.Tickets!.Enabled));
            Assert.Equal("/etc/warpproxy/tickets", options.Tickets.Directory);
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
        Assert.All(SettingTypes.SettingsOf(typeof(TicketOptions)), setting => Assert.Contains($"| `{setting.Name}` |", document, StringComparison.Ordinal));
    }

    private static string Read([CallerFilePath] string path = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs/tickets.md"));
}
