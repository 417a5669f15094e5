using WarpProxy.LoadTest;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class CpuPlanTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("3,1", "1,3")]
    [InlineData("0,2-4,3", "0,2,3,4")]
    public void List_of_processors(string text, string list) => Assert.Equal(list, CpuList.Parse(text)?.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("1,")]
    [InlineData("-1")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    [InlineData("0-99999999")]
    public void Other_text_is_no_list_of_processors(string text) => Assert.Null(CpuList.Parse(text));

    [Theory]
    [InlineData("0-1", null, null, "1", "0")]
    [InlineData("0-3", null, null, "3", "0,1,2")]
    [InlineData("0-3", "0", null, "0", "1,2,3")]
    [InlineData("0-3", null, "3", "2", "3")]
    [InlineData("0-3", "0-1", "2", "0,1", "2")]
    public void Servers_and_client_get_different_processors(string allowed, string? server, string? client, string servers, string clients)
    {
        CpuPlan plan = Choose(allowed, server, client);
        Assert.Equal((servers, clients), (plan.Server.ToString(), plan.Client.ToString()));
        Assert.Null(plan.Warning);
    }

    [Theory]
    [InlineData("5", null, null)]
    [InlineData("0-1", "0-1", null)]
    [InlineData("0-1", "0", "0")]
    public void Shared_processors_are_told(string allowed, string? server, string? client) =>
        Assert.Contains("share processors", Choose(allowed, server, client).Warning, StringComparison.Ordinal);

    [Fact]
    public void Processor_that_is_not_allowed_is_refused() => Assert.Equal(
        "--server-cpus is 7; it must be of this process's processors, which are 0,1.",
        Assert.Throws<LoadFailure>(static () => Choose("0-1", "7", null)).Message);

    private static CpuPlan Choose(string allowed, string? server, string? client) =>
        CpuPlan.Choose(CpuList.Parse(allowed)!.Processors, server is null ? null : CpuList.Parse(server), client is null ? null : CpuList.Parse(client));
}
