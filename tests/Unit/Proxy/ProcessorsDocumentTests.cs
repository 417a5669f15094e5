using System.Runtime.CompilerServices;
using System.Text;
using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>docs/processors.md says what is so.</summary>
public sealed class ProcessorsDocumentTests
{
    [Fact]
    public void Example_is_a_configuration_that_can_be_read()
    {
        string document = Read();
        int begin = document.IndexOf("```jsonc", StringComparison.Ordinal) + "```jsonc".Length;
        string example = document[begin..document.IndexOf("```", begin, StringComparison.Ordinal)];
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(example));
        var options = ProxyOptions.Read(new ConfigurationBuilder().AddJsonStream(json).Build());
        Assert.Equal(ProcessorUse.Shared, options.Server.Processors);
    }

    [Fact]
    public void Default_is_the_one_that_is_said_to_be() =>
        Assert.Contains($"| `{new ServerOptions().Processors.ToString().ToLowerInvariant()}` (default) |", Read(), StringComparison.Ordinal);

    private static string Read([CallerFilePath] string path = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs/processors.md"));
}
