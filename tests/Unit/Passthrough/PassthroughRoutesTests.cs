using WarpProxy.Passthrough;

namespace WarpProxy.Tests.Unit.Passthrough;

public sealed class PassthroughRoutesTests
{
    private readonly PassthroughRoutes _routes = new("public", new Dictionary<string, PassthroughOptions>
    {
        ["exact"] = new() { Names = ["legacy.example", "Mixed.Example", "one.wild.example"], Upstream = "10.0.0.1:443" },
        ["wild"] = new() { Names = ["*.wild.example"], Upstream = "10.0.0.2:443" },
        ["top"] = new() { Names = ["*.local"], Upstream = "10.0.0.3:443" },
    });

    [Theory]
    [InlineData("legacy.example", "exact")]
    [InlineData("mixed.example", "exact")]
    [InlineData("one.wild.example", "exact")]       // the name itself is stronger
    [InlineData("two.wild.example", "wild")]
    [InlineData("a.local", "top")]
    public void Name_is_found_with_its_entry(string name, string entry)
    {
        Assert.True(_routes.TryFind(name, out PassthroughRoute? route));
        Assert.Equal((entry, "public"), (route.Name, route.Listener));
    }

    [Theory]
    [InlineData("wild.example")]
    [InlineData("a.b.wild.example")]
    [InlineData("www.legacy.example")]
    [InlineData("example")]
    [InlineData("local")]
    [InlineData("xwild.example")]
    [InlineData("*.wild.example.")]
    [InlineData("")]
    public void Other_names_are_terminated(string name) => Assert.False(_routes.TryFind(name, out _));

    [Fact]
    public void Names_that_two_entries_have_are_found() => Assert.Equal(
        ["a.example", "*.b.example"],
        PassthroughRoutes.FindTwice([new() { Names = ["a.example", "*.b.example", "c.example"] }, new() { Names = ["A.example"] }, new() { Names = ["*.B.EXAMPLE"] }]));
}
