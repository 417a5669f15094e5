using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Documents;

/// <summary>Every command of the documents does what the document says, as somebody types it who reads nothing else.</summary>
[Collection(Alone.Name)]
public sealed class DocumentTests(ITestOutputHelper output)
{
    public static TheoryData<string> Documents() => new(DocumentCommands.Documents());

    [Theory, MemberData(nameof(Documents))]
    public void Every_command_is_walked(string document)
    {
        string script = Walk.Script(document);
        Assert.True(File.Exists(script), $"{document} has commands, but there is no {Path.GetFileName(script)} that types them");
        Assert.Equal(DocumentCommands.Read(document).All.Select(static command => command.Number).Order(StringComparer.Ordinal), Walk.Named(script).Order(StringComparer.Ordinal));
    }

    [WalkTheory, MemberData(nameof(Documents))]
    public async Task Its_commands_do_what_a_document_says(string document)
    {
        ToolResult walk = await Walk.RunAsync(document);
        output.WriteLine(walk.ToString());
        Assert.True(walk.ExitCode == 0, walk.ToString());
    }

    [Fact]
    public void Every_walk_has_its_document() => Assert.Equal(
        DocumentCommands.Documents().Select(Walk.Script).Order(StringComparer.Ordinal),
        Directory.EnumerateFiles(Path.GetDirectoryName(Walk.Script("README.md"))!, "*.sh").Order(StringComparer.Ordinal));

    private sealed class WalkTheoryAttribute : TheoryAttribute
    {
        public WalkTheoryAttribute() => Skip = Walk.WhyNot;
    }
}
