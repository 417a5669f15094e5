using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

public sealed class EnvironmentSettingsTests
{
    [Theory]
    [InlineData("WARPPROXY_Offload__Depth", "Offload:Depth")]
    [InlineData("warpproxy_offload__depth", "Offload:Depth")]
    [InlineData("WARPPROXY_Listeners__public__Certificates__0", "Listeners:public:Certificates:0")]
    [InlineData("WARPPROXY_Tls_Lanes", "Tls_Lanes")]
    public void Variable_is_a_setting(string variable, string path)
    {
        EnvironmentSettings environment = Read((variable, "64"));
        Assert.True(environment.TryGet(path, out string? value));
        Assert.Equal("64", value);
        Assert.Equal(variable, environment.FindVariable(path));
    }

    [Theory]
    [InlineData("WARPPROXY_KEY_PASSWORD")]
    [InlineData("WARPPROXY_SERVICE_HOST")]
    [InlineData("WARPPROXY_SERVICE_PORT")]
    [InlineData("WARPPROXY_SERVICE_PORT_HTTPS")]
    [InlineData("WARPPROXY_PORT")]
    [InlineData("WARPPROXY_PORT_443_TCP")]
    [InlineData("WARPPROXY_PORT_443_TCP_ADDR")]
    [InlineData("WARPPROXY_")]
    [InlineData("PATH")]
    public void Variable_is_no_setting(string variable) => Assert.Empty(Read((variable, "x")).GetChildKeys([], null));

    [Fact]
    public void Section_is_told_by_the_first_variable_below_it() =>
        Assert.Equal("WARPPROXY_Tls__Lanes", Read(("WARPPROXY_Tls__MaxWaiting", "1"), ("WARPPROXY_Tls__Lanes", "1"), ("WARPPROXY_TlsX__A", "1")).FindVariable("Tls"));

    private static EnvironmentSettings Read(params (string Name, string Value)[] variables) => new(variables.ToDictionary(one => one.Name, one => one.Value));
}
