using WarpProxy.Admin;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Admin;

public sealed class ReadinessTests
{
    [Theory]
    [InlineData(Readiness.Starting)]
    [InlineData(Readiness.Draining)]
    public void Without_clients_no_path_is_live(string state) =>
        Assert.Equal(new Readiness(state), Readiness.Of(state, OffloadPath.Device, hasRsa: true, [Device("ready")]));

    [Fact]
    public void Device_that_is_ready_is_the_path()
    {
        AssertPath("device", "embedded: is ready", OffloadPath.Device, hasRsa: true, Device("ready"));
        AssertPath("device", "embedded: is ready; each operation goes where it is expected to be done first", OffloadPath.Auto, hasRsa: true, Device("ready"));
    }

    [Fact]
    public void One_device_of_several_is_enough() =>
        AssertPath("device", "emulator:/run/b.sock is ready", OffloadPath.Device, hasRsa: true, Device("absent"), Device("ready", "emulator:/run/b.sock"));

    [Fact]
    public void Software_is_the_path_when_no_device_answers_and_the_reason_says_which_and_why() => AssertPath(
        "software", "embedded: is absent, emulator:/run/b.sock is quarantined (a result was wrong)", OffloadPath.Auto, hasRsa: true,
        Device("absent"), Device("quarantined", "emulator:/run/b.sock", "a result was wrong."));

    [Fact]
    public void Software_is_the_path_where_it_was_chosen() => AssertPath("software", "Offload:Path is software", OffloadPath.Software, hasRsa: true);

    [Fact]
    public void Software_is_the_path_without_devices() => AssertPath("software", "Offload:Devices is none", OffloadPath.Auto, hasRsa: true);

    [Fact]
    public void Software_is_the_path_of_keys_that_are_not_offloaded() =>
        AssertPath("software", "no certificate has an RSA key, and only those are offloaded", OffloadPath.Auto, hasRsa: false, Device("ready"));

    private static void AssertPath(string live, string reason, OffloadPath path, bool hasRsa, params DeviceSnapshot[] devices) =>
        Assert.Equal(new Readiness(Readiness.Serving) { Path = live, Reason = reason }, Readiness.Of(Readiness.Serving, path, hasRsa, devices));

    private static DeviceSnapshot Device(string state, string uri = "embedded:", string? detail = null) => new(uri, state, "scalar", 1, 16, 0)
    {
        Breaker = new BreakerSnapshot("closed", null, detail, 0, new Dictionary<string, long>(), new ProbeCounts(1, 0), new BreakerSeconds(1, 0, 0)),
    };
}
