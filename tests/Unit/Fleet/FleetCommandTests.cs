using System.CommandLine;
using System.Text.Json;
using WarpProxy.LoadTest;
using WarpProxy.LoadTest.Fleet;

namespace WarpProxy.Tests.Unit.Fleet;

/// <summary>The command line of <c>warp-loadtest fleet</c>, and its files.</summary>
public sealed class FleetCommandTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-fleet-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("--cores 0", "--cores is 0; it must be between 1 and 1024.")]
    [InlineData("--engines 1,x", "--engines is '1,x'; it must be numbers from 0 to 4096 with commas between.")]
    [InlineData("--path fast", "--path is 'fast'; it must be auto, device or software.")]
    [InlineData("--arrivals often", "--arrivals is 'often'; it must be poisson, even or bursts.")]
    [InlineData("--rate 100,0", "--rate is '100,0'; it must be numbers above 0 with commas between.")]
    [InlineData("--resume 1.5", "--resume is 1.5; it must be between 0 and 1.")]
    [InlineData("--headroom 1", "--headroom is 1; it must be between 0 and 0.95.")]
    [InlineData("--times /nowhere.json", "--times is /nowhere.json; there is no such file.")]
    public void Bad_value_is_refused_with_what_is_allowed(string arguments, string sentence)
    {
        ParseResult parsed = FleetCommand.Create().Parse(arguments.Split(' '));
        Assert.Equal(sentence, Assert.Single(parsed.Errors).Message);
    }

    [Fact]
    public void Times_are_read_back_as_they_are_printed()
    {
        string printed = JsonSerializer.Serialize(MeasuredTimes.Defaults, JsonSerializerOptions.Web);
        Assert.Equal(MeasuredTimes.Defaults, MeasuredTimes.Read(Write(printed)));
    }

    [Theory]
    [InlineData("[]", "has no times")]
    [InlineData("{", "cannot be read")]
    [InlineData("[{\"key\":\"x\"}]", "cannot be read")]
    [InlineData("[{\"key\":\"x\",\"before\":-1,\"after\":0,\"rest\":0,\"resumed\":0,\"software\":1}]", "x: before is -1 microseconds; it must be between 0 and 1000000000.")]
    [InlineData("[{\"key\":\"x\",\"before\":1,\"after\":0,\"rest\":0,\"resumed\":0,\"software\":1,\"spread\":4}]", "x: spread is 4; it must be between 0 and 3.")]
    [InlineData("[{\"key\":\"x\",\"before\":1,\"after\":0,\"rest\":0,\"resumed\":0,\"software\":1,\"engineLanes\":3,\"scalar\":1}]", "x: engineLanes is 3; it must be 0, 1, or an even number up to 64.")]
    [InlineData("[{\"key\":\"x\",\"before\":1,\"after\":0,\"rest\":0,\"resumed\":0,\"software\":1,\"engineLanes\":1}]", "x: scalar is 0; a device with engines must need some time for an operation.")]
    [InlineData("[{\"key\":\"x\",\"before\":1,\"after\":0,\"rest\":0,\"resumed\":0,\"software\":1,\"engineLanes\":8,\"scalar\":1}]", "x: halfPass and fullPass must be above 0 where engineLanes is 8.")]
    public void Bad_times_are_refused_with_what_is_wrong(string json, string sentence)
    {
        var failure = Assert.Throws<LoadFailure>(() => MeasuredTimes.Read(Write(json)));
        Assert.Contains(sentence, failure.Message, StringComparison.Ordinal);
        Assert.Equal(LoadFailure.BadInput, failure.ExitCode);
    }

    private string Write(string json)
    {
        string file = Path.Combine(_directory.FullName, "times.json");
        File.WriteAllText(file, json);
        return file;
    }
}
