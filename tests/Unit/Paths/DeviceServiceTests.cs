using WarpDrive.Driver;
using WarpDrive.Driver.Paths;

namespace WarpProxy.Tests.Unit.Paths;

/// <summary>What is learned of one operation on a device that shares the processors.</summary>
public sealed class DeviceServiceTests
{
    private static readonly PathTicket Alone = new() { Decision = PathDecision.Device, InFlight = 1, Load = 1, IsAlone = true, IsAll = true };

    [Fact]
    public void Detour_is_what_an_answer_takes_beyond_its_work()
    {
        Assert.Equal(300_000, Measure(elapsed: 300_000, work: 240_000).ExpectWork(1, 1));
    }

    [Fact]
    public void What_other_programs_take_of_the_processor_is_no_detour()
    {
        // Without the bound, 20 ms of others' would make eight operations of 1.5 ms look worse than eight of 3.8 in software.
        Assert.Equal(8_000_000, Measure(elapsed: 24_000_000, work: 4_000_000).ExpectWork(1, 1));
    }

    private static DeviceService Measure(long elapsed, long work)
    {
        var service = new DeviceService(sharesProcessors: true);
        service.Record(Alone, new DeviceMeasurement(AcceleratorError.None, elapsed, work), software: 4_000_000, now: 1);
        return service;
    }
}
