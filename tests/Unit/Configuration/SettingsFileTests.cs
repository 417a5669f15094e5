using System.Text;
using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

public sealed class SettingsFileTests : IDisposable
{
    private readonly SettingsFixture _settings = new();

    public void Dispose() => _settings.Dispose();

    [Fact]
    public void Values_are_the_text_of_the_file()
    {
        SettingsFile file = _settings.ReadFile("""{ "a": { "b": "text", "c": 1.50, "d": true, "e": null, "f": [1, "two"], "g": {}, "h": [] } }""");
        Assert.Equal(
            [("a:b", "text"), ("a:c", "1.50"), ("a:d", "true"), ("a:e", null), ("a:f:0", "1"), ("a:f:1", "two"), ("a:g", null), ("a:h", "")],
            new[] { "a:b", "a:c", "a:d", "a:e", "a:f:0", "a:f:1", "a:g", "a:h" }.Select(path => (path, file.TryGet(path, out string? value) ? value : "missing")));
    }

    [Fact]
    public void It_reads_what_NETs_provider_reads()
    {
        const string Json = """
            { // comment
              "a": { "b": [ { "c": 1 }, { "c": [ [ "deep" ], 2 ] } ], "d": -1.5e3 }, /* another */
              "e:f": "flat", "g": [], "h": {}, "i": null, "j": "\u00e4\ud83d\ude00", "k": "",
            }
            """;
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(Json));
        IConfigurationRoot expected = new ConfigurationBuilder().AddJsonStream(stream).Build();
        IConfigurationRoot actual = new ConfigurationBuilder().Add(_settings.ReadFile(Json)).Build();
        Assert.Equal(expected.AsEnumerable().OrderBy(setting => setting.Key), actual.AsEnumerable().OrderBy(setting => setting.Key));
    }

    [Theory]
    [InlineData("a", 1)]
    [InlineData("a:b", 2)]
    [InlineData("A:B:0", 2)]
    [InlineData("a:b:1", 3)]
    [InlineData("a:c", 6)]
    public void Each_setting_and_section_has_its_line(string path, int line) =>
        Assert.Equal(line, _settings.ReadFile("{ \"a\": {\n\"b\": [ 1,\n 2\n ],\n\n\"c\":\n3 } }").FindLine(path));

    [Fact]
    public void What_is_not_there_has_no_line() => Assert.Null(_settings.ReadFile("{}").FindLine("a"));

    [Fact]
    public void Setting_that_stands_there_twice_is_a_problem() => Assert.Equal(
        [(3, "A is there already, in line 1; it must be there once."), (4, "A:b is there already, in line 2; it must be there once.")],
        _settings.ReadFile("{ \"a\": {\n\"b\": 1 },\n\"A\": {\n\"b\": 2 } }").Problems);

    [Fact]
    public void Byte_order_mark_is_passed_over() => Assert.Equal(1, _settings.ReadFile("\uFEFF{ \"a\": 1 }").FindLine("a"));

    [Theory]
    [InlineData("{\n  \"a\": {\n    \"b\" 16\n} }", "is not JSON, line 3, byte 9: ")]
    [InlineData("{ \"a\": 1 } x", "is not JSON, line 1, byte 12: ")]
    [InlineData("{ \"a\": 1", "is not JSON, line 1, byte 9: ")]
    [InlineData("", "is not JSON, line 1, byte 1: ")]
    [InlineData("[1]", "has no object; it must be { ... } with the sections inside.")]
    [InlineData("{\n\"a\": \"\\ud800\" }", "has a text in line 2 that is not UTF-8.")]
    public void File_that_is_no_JSON_object_is_refused_with_one_sentence(string json, string sentence)
    {
        string message = Assert.Throws<BadInputException>(() => _settings.ReadFile(json)).Message;
        Assert.StartsWith($"Configuration file '{_settings.File}' {sentence}", message);
        Assert.EndsWith(".", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_told_with_their_line()
    {
        File.WriteAllBytes(_settings.File, [.. "{\n\"a\": \""u8, 0xFF, .. "\" }"u8]);
        Assert.Equal(
            $"Configuration file '{_settings.File}' has a text in line 2 that is not UTF-8.", Assert.Throws<BadInputException>(() => SettingsFile.Read(_settings.File)).Message);
    }

    [Fact]
    public void File_that_cannot_be_read_is_refused()
    {
        Assert.Equal($"Configuration file '{_settings.File}' does not exist.", Assert.Throws<BadInputException>(() => SettingsFile.Read(_settings.File)).Message);
        Assert.Equal("Configuration file is ''; it must be the path of a JSON file.", Assert.Throws<BadInputException>(() => SettingsFile.Read("")).Message);
        Assert.Equal("Configuration file '/' cannot be read: it is a directory.", Assert.Throws<BadInputException>(() => SettingsFile.Read("/")).Message);
    }
}
