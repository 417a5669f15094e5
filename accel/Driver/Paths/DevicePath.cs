using WarpDrive.Linux;

namespace WarpDrive.Driver.Paths;

/// <summary>What one device of a pool needs for operations, by key size. Any thread may call any member.</summary>
/// <param name="readWork">What it has used of this process's processors, by the bytes of the modulus; null: it has its own.</param>
internal sealed class DevicePath(Func<int, ProcessorWork>? readWork)
{
    private readonly DeviceService[] _services = [.. KeySizes.All.Select(_ => new DeviceService(readWork is not null))];

    /// <summary>For keys of one size.</summary>
    public DeviceService this[int size] => _services[size];

    /// <summary>Begins to measure an operation on the calling thread.</summary>
    /// <param name="ticket">Where it goes, and why.</param>
    /// <param name="modulusBytes">Of its key.</param>
    /// <param name="software">Nanoseconds of the same in software; 0 when not known.</param>
    /// <param name="now">Nanoseconds.</param>
    public PathMeter Begin(in PathTicket ticket, int modulusBytes, long software, long now) => readWork is null
        ? new PathMeter(ticket, modulusBytes, software, now, default, 0)
        : new PathMeter(ticket, modulusBytes, software, now, readWork(modulusBytes), ThreadTime.ReadNanoseconds());

    /// <summary>Learns from an operation that has ended, on the thread where it began.</summary>
    public void End(in PathMeter meter, AcceleratorError outcome, long now) =>
        this[KeySizes.PlaceOf(meter.ModulusBytes)].Record(meter.Ticket, new DeviceMeasurement(outcome, now - meter.Begun, ReadWork(meter)), meter.Software, now);

    /// <summary>Processor time of one operation, the device's and that of the calling thread; 0 when it is not known.</summary>
    private long ReadWork(in PathMeter meter)
    {
        if (readWork is null)
        {
            return 0;
        }

        // Others that ended meanwhile were computed together with this one, or as it was.
        ProcessorWork now = readWork(meter.ModulusBytes);
        long operations = now.Operations - meter.Work.Operations;
        return operations <= 0 ? 0 : ((now.Nanoseconds - meter.Work.Nanoseconds) / operations) + ThreadTime.ReadNanoseconds() - meter.ThreadTime;
    }
}

/// <summary>Where an operation on a device began.</summary>
/// <param name="Ticket">Where it went, and why.</param>
/// <param name="ModulusBytes">Of its key.</param>
/// <param name="Software">Nanoseconds of the same in software; 0 when not known.</param>
/// <param name="Begun">Nanoseconds.</param>
/// <param name="Work">What the device had used of this process's processors.</param>
/// <param name="ThreadTime">What the thread had.</param>
internal readonly record struct PathMeter(PathTicket Ticket, int ModulusBytes, long Software, long Begun, ProcessorWork Work, long ThreadTime);
