using WarpProxy.Admin;
using WarpProxy.Live;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Live;

/// <summary>Each sentence stands on numbers, and where there are none it says so.</summary>
public sealed class VerdictTests
{
    private static readonly Readiness DeviceLive = new(Readiness.Serving) { Path = "device", Reason = "embedded: is ready" };
    private static readonly Readiness SoftwareLive = new(Readiness.Serving) { Path = "software", Reason = "embedded: is absent" };

    [Fact]
    public void Cheaper_device_saves_and_how_much_is_said()
    {
        Verdict verdict = Tell(Device(1000, own: 0.21, engine: 0.28, p50: 5.14), Software(1000, own: 0.86, p50: 2.83));
        Assert.Equal("good", verdict.Tone);
        Assert.Equal("Offloading saves 43 % of the CPU per RSA-2048 handshake: 0.49 ms instead of 0.86 ms.", verdict.Headline);
        Assert.Equal(
            ["The median handshake takes 1.82 times as long: 5.1 ms instead of 2.8 ms.", "The same processors can do 1.76 times the handshakes."], verdict.Details);
    }

    [Fact]
    public void Cheaper_software_is_said_as_plainly()
    {
        Verdict verdict = Tell(Device(50, own: 0.5, engine: 1.5, p50: 2), Software(50, own: 1.6, p50: 2));
        Assert.Equal("bad", verdict.Tone);
        Assert.Equal("Offloading costs 25 % more CPU per RSA-2048 handshake: 2.0 ms instead of 1.6 ms.", verdict.Headline);
        Assert.Equal(["The median handshake takes 2.0 ms either way.", "Under this load software is the better path."], verdict.Details);
    }

    [Fact]
    public void Difference_within_the_noise_is_none()
    {
        Verdict verdict = Tell(Device(50, own: 0.5, engine: 0.5, p50: 1), Software(50, own: 1.01, p50: 12.4));
        Assert.Equal("even", verdict.Tone);
        Assert.Equal("Offloading makes no difference to the CPU per RSA-2048 handshake: 1.0 ms instead of 1.0 ms.", verdict.Headline);
        Assert.Equal(["The median handshake is 12.4 times as fast: 1.0 ms instead of 12 ms."], verdict.Details);
    }

    [Fact]
    public void Device_elsewhere_only_takes_work_off_this_process()
    {
        Verdict verdict = Tell(Device(50, own: 0.25, engine: null, p50: 1), Software(50, own: 1, p50: 1), outside: ["emulator:/run/warp/device.sock"]);
        Assert.Equal("Offloading takes 75 % of the CPU per RSA-2048 handshake off this process: 0.25 ms instead of 1.0 ms.", verdict.Headline);
        Assert.Contains("The device's own processor time is not counted here: emulator:/run/warp/device.sock.", verdict.Details);
        Assert.DoesNotContain(verdict.Details, static detail => detail.Contains("same processors", StringComparison.Ordinal));
    }

    [Fact]
    public void Paths_that_had_another_load_are_no_fair_comparison()
    {
        Verdict verdict = Tell(Device(50, 0.5, 0.1, 1), Software(50, 1, 1), path: OffloadPath.Auto);
        Assert.Contains("Each path had other moments, so that its load was another: set Offload:Path to compare for both under the same.", verdict.Details);
    }

    [Fact]
    public void Keys_of_other_sizes_are_not_mixed_in()
    {
        Verdict verdict = Verdict.Of(new PathComparison(4096, Device(50, 0.5, 0.1, 1), Software(50, 1, 1), HasOtherSizes: true), 0, DeviceLive, OffloadPath.Compare, []);
        Assert.Contains("per RSA-4096 handshake", verdict.Headline, StringComparison.Ordinal);
        Assert.Contains("Keys of other sizes are in the charts, and not in this sentence.", verdict.Details);
    }

    [Fact]
    public void Sentence_about_one_path_names_the_size_where_others_may_have_gone_the_other_way()
    {
        Verdict device = Verdict.Of(new PathComparison(2048, Device(1000, 0.2, 0.3, 1), Software(0, null, null), HasOtherSizes: true), 0, DeviceLive, OffloadPath.Device, []);
        Assert.Equal("A device computed all 1,000 RSA-2048 handshakes of the last 5 minutes, for 0.50 ms of CPU each.", device.Headline);
        Assert.Equal(
            ["No RSA-2048 handshake went to software in the last 5 minutes; set Offload:Path to compare to see both.", "Keys of other sizes are in the charts, and not in this sentence."],
            device.Details);

        Verdict software = Verdict.Of(new PathComparison(4096, Device(0, null, null, null), Software(2, 4, 9), HasOtherSizes: true), 0, DeviceLive, OffloadPath.Device, []);
        Assert.Equal("Software computed all 2 RSA-4096 handshakes of the last 5 minutes, for 4.0 ms of CPU each.", software.Headline);
        Assert.Contains("A device is ready; no RSA-4096 handshake went to it in the last 5 minutes.", software.Details);
    }

    [Fact]
    public void Path_without_handshakes_is_not_compared_with()
    {
        Verdict device = Tell(Device(1204, 0.2, 0.3, 1), Software(0, null, null));
        Assert.Equal(
            ("none", "A device computed all 1,204 handshakes of the last 5 minutes, for 0.50 ms of CPU each."), (device.Tone, device.Headline));
        Assert.Equal(["No handshake went to software in the last 5 minutes; set Offload:Path to compare to see both."], device.Details);

        Verdict software = Tell(Device(0, null, null, null), Software(1, 1.5, 1), path: OffloadPath.Auto);
        Assert.Equal(
            ("none", "Software computed the only handshake of the last 5 minutes, for 1.5 ms of CPU each."), (software.Tone, software.Headline));
        Assert.Contains("at this load, software is expected to be done first", Assert.Single(software.Details), StringComparison.Ordinal);
    }

    [Fact]
    public void Software_that_stands_in_says_for_what()
    {
        Verdict verdict = Verdict.Of(new PathComparison(2048, Device(0, null, null, null), Software(70, 1, 1), false), 0, SoftwareLive, OffloadPath.Auto, []);
        Assert.Equal(["Nothing is offloaded: embedded: is absent."], verdict.Details);
    }

    [Theory]
    [InlineData(29, 5000)]
    [InlineData(5000, 29)]
    [InlineData(1, 1)]
    public void Few_handshakes_say_nothing(long device, long software)
    {
        Verdict verdict = Tell(Device(device, 0.1, 0.1, 1), Software(software, 9, 1));
        Assert.Equal("none", verdict.Tone);
        Assert.StartsWith("Too few handshakes yet to compare", verdict.Headline, StringComparison.Ordinal);
    }

    [Fact]
    public void Idle_proxy_says_which_path_waits()
    {
        Assert.Equal("No handshake in the last 5 minutes.", Idle(0, DeviceLive).Headline);
        Assert.Equal(["A device waits for work: embedded: is ready."], Idle(0, DeviceLive).Details);
        Assert.Equal(["Nothing is offloaded: embedded: is absent."], Idle(0, SoftwareLive).Details);
        Assert.Equal("12 handshakes in the last 5 minutes, and none needed an RSA operation.", Idle(12, DeviceLive).Headline);
        Assert.Equal(["Clients are not served now: the proxy is draining."], Idle(0, new Readiness(Readiness.Draining)).Details);
    }

    private static Verdict Idle(long others, Readiness readiness) =>
        Verdict.Of(new PathComparison(2048, Device(0, null, null, null), Software(0, null, null), false), others, readiness, OffloadPath.Auto, []);

    private static Verdict Tell(PathFigures device, PathFigures software, OffloadPath path = OffloadPath.Compare, string[]? outside = null) =>
        Verdict.Of(new PathComparison(2048, device, software, false), 0, DeviceLive, path, outside ?? []);

    private static PathFigures Device(long count, double? own, double? engine, double? p50) => new(count, p50, p50, own, engine);

    private static PathFigures Software(long count, double? own, double? p50) => new(count, p50, p50, own, null);
}
