using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

public sealed class SettingsChangesTests
{
    [Fact]
    public void Equal_configurations_have_no_changes()
    {
        SettingsChanges changes = Between([("Offload:Depth", "16")], [("offload:depth", "16")]);
        Assert.True(changes.IsEmpty);
        Assert.Equal("", changes.ToString());
    }

    [Fact]
    public void What_comes_goes_and_changes_is_told_once_each_by_section_and_name()
    {
        SettingsChanges changes = Between(
            [("Certificates:shop:File", "a"), ("Certificates:shop:KeyFile", "b"), ("Offload:Depth", "16"), ("Tls:Lanes", "4")],
            [("Certificates:shop:File", "c"), ("Certificates:shop:KeyFile", "d"), ("Tls:Lanes", "4"), ("ReverseProxy:Routes:all:ClusterId", "web")]);
        Assert.Equal("Certificates:shop, Offload:Depth, ReverseProxy:Routes:all", changes.ToString());
        Assert.True(changes.Has("Certificates"));
        Assert.True(changes.Has("certificates:SHOP"));
        Assert.True(changes.Has("Offload:Depth"));
        Assert.False(changes.Has("Certificates:sho"));
        Assert.False(changes.Has("Tls"));
    }

    [Fact]
    public void Schema_for_editors_is_no_change() => Assert.True(Between([("$schema", "a")], [("$schema", "b")]).IsEmpty);

    [Fact]
    public void Of_many_changes_the_first_are_named_and_the_others_counted()
    {
        SettingsChanges changes = Between([], [.. Enumerable.Range(10, 30).Select(static i => ($"Certificates:c{i}:File", "x"))]);
        Assert.StartsWith("Certificates:c10, Certificates:c11, ", changes.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(" and 18 more", changes.ToString(), StringComparison.Ordinal);
    }

    private static SettingsChanges Between((string Path, string Value)[] old, (string Path, string Value)[] now) => SettingsChanges.Between(Of(old), Of(now));

    private static IConfigurationRoot Of((string Path, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(static one => new KeyValuePair<string, string?>(one.Path, one.Value))).Build();
}
