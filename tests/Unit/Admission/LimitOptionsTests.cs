using WarpProxy.Tests.Unit.Configuration;

namespace WarpProxy.Tests.Unit.Admission;

public sealed class LimitOptionsTests : IDisposable
{
    private readonly SettingsFixture _settings = new();

    public void Dispose() => _settings.Dispose();

    [Theory]
    [InlineData("\"Limits\": { \"MaxConnections\": 0 }", "Limits:MaxConnections is 0; it must be between 1 and 10000000.")]
    [InlineData("\"Limits\": { \"Backlog\": 65536 }", "Limits:Backlog is 65536; it must be between 1 and 65535.")]
    [InlineData("\"Limits\": { \"KeepAliveTimeout\": \"00:00:00.5\" }", "Limits:KeepAliveTimeout is 00:00:00.5000000; it must be between 00:00:01 and 1.00:00:00.")]
    [InlineData("\"Limits\": { \"RequestHeadersTimeout\": \"2.00:00:00\" }", "Limits:RequestHeadersTimeout is 2.00:00:00; it must be between 00:00:01 and 1.00:00:00.")]
    [InlineData("\"Tls\": { \"MaxHandshakes\": 0 }", "Tls:MaxHandshakes is 0; it must be between 1 and 1000000.")]
    [InlineData(
        "\"Listeners\": { \"a\": { \"Url\": \"https://*:1\", \"MaxConnections\": -1 } }", "Listeners:a:MaxConnections is -1; it must be between 1 and 10000000.")]
    [InlineData(
        "\"Listeners\": { \"a\": { \"Url\": \"https://*:1\", \"MaxConnectionsPerAddress\": 0 } }",
        "Listeners:a:MaxConnectionsPerAddress is 0; it must be between 1 and 10000000.")]
    public void Value_that_cannot_be_is_told_with_what_can(string setting, string sentence) =>
        Assert.Equal($"proxy.json:1: {sentence}", Assert.Single(_settings.FindProblems($"{{ {setting} }}")));
}
