namespace WarpDrive.Driver.Paths;

/// <summary>What one device needs for operations of one key size, as measured. Any thread may call any member.</summary>
/// <param name="sharesProcessors">Whether it computes on the processors of this process, so that what it gains is what it saves them.</param>
internal sealed class DeviceService(bool sharesProcessors)
{
    private ServiceTime _detour;    // what an answer takes beyond the processor time, when nothing else is under way

    /// <summary>Whether it computes on the processors of this process.</summary>
    public bool SharesProcessors => sharesProcessors;

    /// <summary>From posting to the checked result, by operations in flight on the device, this one included.</summary>
    public TimesByLevel Answers { get; } = new(TimesByLevel.Fine);

    /// <summary>Processor time of an operation, the device's and that of the thread that waits, by the load with which all went to the device.</summary>
    public TimesByLevel Work { get; } = new(TimesByLevel.Coarse);

    /// <summary>When an operation would be done if all went here, in nanoseconds from now; 0 when nothing was measured. Only where processors are shared.</summary>
    /// <param name="load">Operations under way.</param>
    /// <param name="processors">That compute: of the device's engines and the process's processors the fewer.</param>
    public long ExpectWork(double load, int processors)
    {
        long work = Work.Expect((int)Math.Round(load));
        return work == 0 ? 0 : _detour.Nanoseconds + (long)(work * Math.Max(1, load / processors));
    }

    /// <summary>An operation ended.</summary>
    /// <param name="ticket">As it was begun.</param>
    /// <param name="measured">What was measured of it.</param>
    /// <param name="software">Nanoseconds of the same in software, to which one that failed comes now.</param>
    /// <param name="now">When it ended.</param>
    public void Record(in PathTicket ticket, in DeviceMeasurement measured, long software, long now)
    {
        switch (measured.Outcome)
        {
            case AcceleratorError.None:
                Answers.Add(ticket.InFlight, measured.Elapsed, now);
                break;
            case AcceleratorError.Busy or AcceleratorError.UnsupportedKey or AcceleratorError.NoDevice:
                return;
            default:
                // An answer that does not come is as late as the software's that has to follow.
                Answers.Add(ticket.InFlight, measured.Elapsed + software, now, isBounded: false);
                if (sharesProcessors)
                {
                    Work.Add(ticket.Level, (long)((measured.Elapsed + software) / Math.Max(1, ticket.Load)), now, isBounded: false);
                }

                return;
        }

        if (sharesProcessors && ticket.IsAll && measured.Work > 0)
        {
            Work.Add(ticket.Level, measured.Work, now);
            if (ticket.IsAlone)
            {
                // Beyond its own work again, it is other programs that took the processor, and they take it of software alike.
                _detour.Add(Math.Min(measured.Elapsed - measured.Work, measured.Work), now);
            }
        }
    }
}

/// <summary>What was measured of an operation on a device.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Elapsed">Nanoseconds from before it was posted to its end.</param>
/// <param name="Work">Nanoseconds of this process's processors; 0 when not known.</param>
internal readonly record struct DeviceMeasurement(AcceleratorError Outcome, long Elapsed, long Work = 0);
