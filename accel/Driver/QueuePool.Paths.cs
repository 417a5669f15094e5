using WarpDrive.Driver.Paths;

namespace WarpDrive.Driver;

/// <content>Which device an operation goes to, or whether it goes to software.</content>
public sealed partial class QueuePool
{
    private int _operationNumber;

    /// <summary>What <paramref name="chooser"/> and the pool expect of each path, by key size; sizes of which there was no operation are left out.</summary>
    public IReadOnlyList<PathStatus> GetPaths(PathChooser chooser)
    {
        ArgumentNullException.ThrowIfNull(chooser);
        PooledDevice[] devices = _devices;
        return
        [
            .. from size in Enumerable.Range(0, KeySizes.All.Count)
               let choice = chooser[size]
               let measured = devices.Where(device => device.Path[size].Answers.IsKnown).ToArray()
               where choice.Software.Work != 0 || measured.Length > 0
               select new PathStatus(
                   KeySizes.All[size] * 8,
                   Math.Round(choice.Load, 1),
                   choice.PrefersDevice,
                   choice.Switches,
                   ToMicroseconds(choice.Software.Work),
                   ToMicroseconds(choice.Software.Expect(Math.Max(1, choice.Load))),
                   [.. measured.Select(device => device.ReadPath(size, Math.Max(1, choice.Load)))]),
        ];
    }

    internal static long ToNanoseconds(TimeProvider time, long timestamp) => (long)(timestamp * (1e9 / time.TimestampFrequency));

    internal static double ToMicroseconds(long nanoseconds) => Math.Round(nanoseconds / 1000.0, 1);

    /// <summary>
    /// Chooses the path of an operation, and computes it on a device if that is it. False: software has to, by choice when
    /// <paramref name="error"/> is <see cref="AcceleratorError.None"/>.
    /// </summary>
    internal bool TryPrivateByChoice(DeviceKey key, ref AutoOperation auto, ReadOnlySpan<byte> input, Span<byte> output, out AcceleratorError error)
    {
        PooledDevice[] devices = _devices;
        PathChoice choice = auto.Chooser[KeySizes.PlaceOf(key.ModulusBytes)];
        long now = ToNanoseconds(_time, _time.GetTimestamp());
        PathTicket ticket = Choose(choice.Begin(auto.UnderWay, devices.Length, now), devices, key.ModulusBytes);
        auto.Load = ticket.Load;
        auto.Decision = ticket.Decision;
        error = AcceleratorError.None;
        if (ticket.Decision != PathDecision.Device)
        {
            return false;
        }

        if (ticket.Device < 0)
        {
            error = FindObstacle(devices);
            return false;
        }

        if (!TryRent(devices[ticket.Device], ticket, key.ModulusBytes, choice.Software.Work, now, out PooledOperation operation))
        {
            // Its last queue was taken meanwhile.
            auto.Decision = PathDecision.Overflow;
            return false;
        }

        auto.Chooser.BeginDevice();
        error = Run(operation with { Timeline = auto.Timeline }, key, input, output);
        return error == AcceleratorError.None;
    }

    private static AcceleratorError WaitAndEnd(in PooledOperation operation, ReadOnlySpan<byte> input, Span<byte> output)
    {
        AcceleratorError outcome = AcceleratorError.DeviceGone;
        try
        {
            outcome = operation.Queue.Wait();
        }
        finally
        {
            outcome = End(operation, outcome, input, output);
        }

        return outcome;
    }

    /// <summary>Rents a queue of the device that is expected to answer first. False: none has an idle queue.</summary>
    private bool TryRent(PooledDevice[] devices, int modulusBytes, out PooledOperation operation)
    {
        long now = ToNanoseconds(_time, _time.GetTimestamp());
        var scan = new PathScan(null, 0, 1, Interlocked.Increment(ref _operationNumber), devices.Length, now);
        PathTicket ticket = Choose(scan, devices, modulusBytes);
        if (ticket.Device >= 0 && TryRent(devices[ticket.Device], ticket, modulusBytes, 0, now, out operation))
        {
            return true;
        }

        // Its last queue was taken meanwhile: any other will do.
        foreach (PooledDevice device in devices)
        {
            if (TryRent(device, ticket with { InFlight = device.RentedCount + 1 }, modulusBytes, 0, now, out operation))
            {
                return true;
            }
        }

        operation = default;
        return false;
    }

    /// <summary>Why no device has a queue for an operation.</summary>
    private static AcceleratorError FindObstacle(PooledDevice[] devices) =>
        Array.Exists(devices, static device => device.IsReady) ? AcceleratorError.Busy
        : Array.Exists(devices, static device => device.IsKeptOut) ? AcceleratorError.Quarantined
        : AcceleratorError.NoDevice;

    private static bool TryRent(PooledDevice device, in PathTicket ticket, int modulusBytes, long software, long now, out PooledOperation operation)
    {
        bool isRented = device.TryRent(out PooledQueue? queue);
        operation = isRented ? new PooledOperation(device, queue!, device.Path.Begin(ticket, modulusBytes, software, now)) : default;
        return isRented;
    }

    private static PathTicket Choose(PathScan scan, PooledDevice[] devices, int modulusBytes)
    {
        int size = KeySizes.PlaceOf(modulusBytes);
        for (int i = 0; i < devices.Length; i++)
        {
            PooledDevice device = devices[i];
            bool hasRoom = device.HasIdleQueue;
            if (hasRoom || device.IsReady)
            {
                scan.Offer(i, device.Path[size], device.RentedCount, hasRoom, device.EngineCount);
            }
        }

        return scan.Choose();
    }
}
