using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--path software", "Serve")]
    [InlineData("check --path software", "Check")]
    [InlineData("--path software check", "Check")]
    public void Options_are_the_same_with_and_without_a_verb(string arguments, string verb)
    {
        CommandLine line = CommandLine.Parse(["--config", "a.json", .. arguments.Split(' ')], TextWriter.Null)!;
        Assert.Equal(verb, line.Verb.ToString());
        Assert.Equal("a.json", line.ConfigFile);
        Assert.Equal([KeyValuePair.Create("Offload:Path", (string?)"software")], line.Settings);
    }

    [Theory]
    [InlineData("schema", "Schema")]
    [InlineData("schema --markdown", "SettingsTable")]
    public void Schema_is_written_in_two_forms(string arguments, string verb) =>
        Assert.Equal(verb, CommandLine.Parse(arguments.Split(' '), TextWriter.Null)!.Verb.ToString());

    [Theory]
    [InlineData("chek", "Unrecognized command or argument 'chek'; 'warpproxy --help' lists the options.")]
    [InlineData("check --frobnicate", "Unrecognized command or argument '--frobnicate'; 'warpproxy --help' lists the options.")]
    [InlineData("--markdown", "Unrecognized command or argument '--markdown'; 'warpproxy --help' lists the options.")]
    public void What_is_unknown_is_refused(string arguments, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<BadInputException>(() => CommandLine.Parse(arguments.Split(' '), TextWriter.Null)).Message);

    [Fact]
    public void Verb_has_a_help_of_its_own()
    {
        using var output = new StringWriter();
        Assert.Null(CommandLine.Parse(["check", "--help"], output));
        Assert.Contains("--config", output.ToString(), StringComparison.Ordinal);
    }
}
