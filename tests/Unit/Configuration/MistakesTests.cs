namespace WarpProxy.Tests.Unit.Configuration;

/// <summary>Every mistake is told at once, with where it stands.</summary>
public sealed class MistakesTests : IDisposable
{
    private readonly SettingsFixture _settings = new();

    public void Dispose() => _settings.Dispose();

    [Fact]
    public void Each_has_the_line_of_the_file_in_order() => Assert.Equal(
        [
            "proxy.json:2: Tls:Lanes is 0; it must be between 1 and 256.",
            "proxy.json:4: Offload:Dept is not a setting; those of Offload are Breaker, CompareShare, Deadline, Depth, DevDirectory, Devices, Engine, Engines, Fallback, Path, QueuesPerDevice, RequireLockedMemory, Shadow, SysDirectory.",
            "proxy.json:5: Offload:Engine is 'fast'; it must be auto, scalar or simd.",
            "proxy.json:6: Device 'pci:3' is unknown; it must be embedded:, emulator:/path/to.sock, uacce:auto, uacce:NAME of a device in /sys/class/uacce, mdev:UUID, or none.",
        ],
        _settings.FindProblems("""
            {
              "Tls": { "Lanes": 0 },
              "Offload": {
                "Dept": 16,
                "Engine": "fast",
                "Devices": [ "pci:3" ]
              }
            }
            """));

    [Fact]
    public void What_cannot_be_read_does_not_hide_what_cannot_be_used() => Assert.Equal(
        ["proxy.json:1: Tls:LaneTimeout is '5'; it must be a time such as 00:00:05 (hours:minutes:seconds).", "proxy.json:1: Tls:Lanes is 0; it must be between 1 and 256."],
        _settings.FindProblems("""{ "Tls": { "LaneTimeout": 5, "Lanes": 0 } }"""));

    [Fact]
    public void Missing_setting_has_the_line_of_its_section() => Assert.Equal(
        ["proxy.json:2: Certificates:shop:File is not set; it must be the path of a PEM file, or Directory that of a directory of them."],
        _settings.FindProblems("{ \"Certificates\": {\n\"shop\": {} } }"));

    [Fact]
    public void Mistake_of_the_environment_has_the_variable() => Assert.Equal(
        ["WARPPROXY_Tls__Lanes: Tls:Lanes is 0; it must be between 1 and 256."],
        _settings.FindProblems("""{ "Tls": { "Lanes": 16 } }""", new() { ["WARPPROXY_Tls__Lanes"] = "0" }));

    [Fact]
    public void Mistake_of_the_command_line_stands_alone() => Assert.Equal(
        ["Offload:Engine is 'fast'; it must be auto, scalar or simd."],
        _settings.FindProblems("""{ "Offload": { "Engine": "auto" } }""", new() { ["WARPPROXY_Offload__Engine"] = "simd" }, ("Offload:Engine", "fast")));

    [Fact]
    public void Every_unknown_section_is_told()
    {
        IReadOnlyList<string> problems = _settings.FindProblems("""{ "$schema": "s", "Offlod": {}, "Loging": { "a": 1 } }""");
        Assert.Equal(2, problems.Count);
        Assert.All(problems, problem => Assert.Matches("^proxy.json:1: (Offlod|Loging) is no section; the sections are Server, Offload, .*, Logging\\.$", problem));
    }

    [Fact]
    public void Variable_with_one_underscore_too_few_is_told_how_it_is_written()
    {
        string problem = Assert.Single(_settings.FindProblems("{}", new() { ["WARPPROXY_Tls_Lanes"] = "8" }));
        Assert.StartsWith("WARPPROXY_Tls_Lanes: Tls_Lanes is no section; ", problem);
        Assert.EndsWith("Section and setting have two underscores between them: WARPPROXY_Offload__Depth.", problem);
    }

    [Fact]
    public void Setting_that_stands_there_twice_is_told() => Assert.Equal(
        ["proxy.json:1: Tls:Lanes is there already, in line 1; it must be there once."], _settings.FindProblems("""{ "Tls": { "Lanes": 1, "Lanes": 2 } }"""));

    [Theory]
    [InlineData("Default")]
    [InlineData("Microsoft.AspNetCore")]
    public void Log_level_that_does_not_exist_is_told(string category) => Assert.Equal(
        [$"proxy.json:1: Logging:LogLevel:{category} is 'Loud'; it must be Trace, Debug, Information, Warning, Error, Critical or None."],
        _settings.FindProblems($$"""{ "Logging": { "LogLevel": { "{{category}}": "Loud" } } }"""));

    [Fact]
    public void Certificate_with_a_mistake_is_still_one_that_listeners_may_name() => Assert.Equal(
        ["proxy.json:1: Certificates:shop:File is ''; it must be the path of a file, or be left out.", "proxy.json:1: Certificates:shop:File is not set; it must be the path of a PEM file, or Directory that of a directory of them."],
        _settings.FindProblems("""{ "Certificates": { "shop": { "File": "" } }, "Listeners": { "a": { "Url": "https://*:1", "Certificates": [ "shop" ] } } }"""));

    [Fact]
    public void Configuration_that_is_right_has_none() => Assert.Empty(_settings.FindProblems(
        """{ "Listeners": { "a": { "Url": "https://*:1" } }, "Logging": { "LogLevel": { "Default": "debug" }, "Console": { "LogLevel": { "Yarp": "None" } } } }""",
        new() { ["WARPPROXY_Listeners__a__Url"] = "https://*:2" },
        ("Tls:Lanes", "3")));
}
