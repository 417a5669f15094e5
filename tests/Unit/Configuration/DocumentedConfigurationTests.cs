using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

/// <summary>What the documents show is so.</summary>
public sealed partial class DocumentedConfigurationTests : IDisposable
{
    private readonly SettingsFixture _settings = new();

    public void Dispose() => _settings.Dispose();

    public static TheoryData<string> Documents() =>
        new(Directory.EnumerateFiles(DocumentsFolder(), "*.md").Select(Path.GetFileName).OfType<string>().Where(name => name != "settings.md").Order());

    [Theory, MemberData(nameof(Documents))]
    public void Every_example_is_right(string document)
    {
        // Other JSON than settings, such as answers of the proxy, begins with a small letter.
        string[] examples = [.. Blocks("json", document).Concat(Blocks("jsonc", document)).Where(block => FirstName().IsMatch(block))];
        Assert.NotEmpty(examples);
        Assert.All(examples, example => Assert.Empty(_settings.FindProblems(example)));
    }

    [Theory, MemberData(nameof(Documents))]
    public void Every_document_is_linked(string document)
    {
        if (document != "configuration.md")
        {
            Assert.True(Document().Contains($"]({document})", StringComparison.Ordinal), $"docs/configuration.md has no link to {document} in its section Features");
        }
    }

    [Fact]
    public void Every_variable_of_the_examples_is_a_setting()
    {
        Dictionary<string, string> variables = Blocks("sh").SelectMany(block => Variable().Matches(block).Select(match => match))
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.True(variables.Count >= 5, "the variables were not found");
        string example = Blocks("json").Last();
        IConfigurationRoot configuration = _settings.Load(example, variables);
        ProxyOptions options = ProxyOptions.Read(configuration);
        Assert.Equal(64, options.Offload.Depth);
        Listener("public", "https://*:8443", ["shop"], options);
        Assert.Equal("/run/secrets/shop.pem", options.Certificates.Single(one => one.Key == "shop").Value.File);
        Assert.Equal("http://10.0.0.5:5000/", options.ReverseProxy.Clusters["web"].Destinations!["one"].Address);
        Assert.Equal(LogLevel.Debug, options.Logging.LogLevel["Default"]);
    }

    [Fact]
    public void Every_option_is_the_setting_that_the_table_says()
    {
        MatchCollection rows = OptionRow().Matches(Document());
        Assert.Equal(8, rows.Count);
        Assert.All(rows, row => Assert.Equal(
            [KeyValuePair.Create(row.Groups[2].Value, (string?)"value")], CommandLine.Parse([row.Groups[1].Value, "value"], TextWriter.Null)!.Settings));
    }

    [Fact]
    public void Mistakes_are_told_as_the_document_shows() => Assert.Equal(
        Blocks("sh").Single(block => block.StartsWith("$ warpproxy check", StringComparison.Ordinal)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..]
            .Where(line => !line.Contains("does not exist", StringComparison.Ordinal)),      // that needs the files
        _settings.FindProblems(
            """
            {
              "Offload": {
                "Depth": 300
              },
              "Tls": {
                "Lanes": 16
              },
              "Certificates": {
                "shop": { "File": "/etc/warpproxy/shop.pem" }
              },
              "ReverseProxy": {
                "Routes": {
                  "all": {
                    "Match": { "Path": "{**all}" }, "ClusterId": "wbe" } },
                "Clusters": { "web": { "Destinations": { "one": { "Address": "http://127.0.0.1:5000/" } } } }
              }
            }
            """,
            new() { ["WARPPROXY_Tls__Lanes"] = "0" }).Select(line => line.Replace("proxy.json", "appsettings.json", StringComparison.Ordinal)));

    private static void Listener(string name, string url, string[] certificates, ProxyOptions options)
    {
        WarpProxy.Listeners.Listener listener = options.Listeners.Single(listener => listener.Name == name);
        Assert.Equal(url, listener.Address.ToString());
        Assert.Equal(certificates, listener.Options.Certificates);
    }

    private static IEnumerable<string> Blocks(string language, string document = "configuration.md") =>
        Block().Matches(Document(document)).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value);

    private static string Document(string name = "configuration.md") => File.ReadAllText(Path.Combine(DocumentsFolder(), name));

    private static string DocumentsFolder() => Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs");

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^```(\w*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\| `(--[a-z-]+)` \| `([A-Za-z0-9:]+)`", RegexOptions.Multiline)]
    private static partial Regex OptionRow();

    [GeneratedRegex(@"^\{\s*""[A-Z$]")]
    private static partial Regex FirstName();

    [GeneratedRegex(@"^(WARPPROXY_\w+)=(\S+)", RegexOptions.Multiline)]
    private static partial Regex Variable();
}
