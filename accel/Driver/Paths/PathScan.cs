namespace WarpDrive.Driver.Paths;

/// <summary>One choice under way: each device that is ready is offered, then it is made. Of one thread, on its stack.</summary>
internal ref struct PathScan
{
    private const long Unknown = long.MaxValue / 2;

    private readonly PathChoice? _choice;   // null: only devices are asked
    private readonly bool _isAlone;     // now, and just before
    private readonly double _load;
    private readonly long _now;
    private readonly int _turn;     // the path that is explored now: 0 is software, then the devices; -1: none
    private readonly bool _isRare;  // also if it is expected to take much longer
    private bool _isOffered;
    private int _unknown = -1;      // a device that is idle and was never measured
    private long _turnAnswer;       // of the device whose turn it is; 0: it has no room
    private int _turnInFlight;
    private bool _isTurnShared;
    private DeviceService? _shared;
    private int _sharedDevice;
    private int _sharedEngines;
    private int _sharedInFlight;
    private bool _hasSharedRoom;
    private int _best = -1;         // of the devices with processors of their own and with room
    private int _bestInFlight;
    private long _bestAnswer = long.MaxValue;
    private long _bestAlone = long.MaxValue;    // of all of them, room or not

    /// <param name="choice">What was learned so far; null: software is not asked.</param>
    /// <param name="underWay">Operations under way, this one included.</param>
    /// <param name="load">The same, evened out; at least 1.</param>
    /// <param name="number">Of the operation.</param>
    /// <param name="devices">How many there are, ready or not.</param>
    /// <param name="now">Nanoseconds.</param>
    public PathScan(PathChoice? choice, int underWay, double load, int number, int devices, long now)
    {
        _choice = choice;
        _isAlone = underWay == 1 && load < 1.5;
        _load = load;
        _now = now;
        uint paths = (uint)devices + 1;
        uint turn = (uint)number / PathChoice.ExploringInterval;
        _turn = (uint)number % PathChoice.ExploringInterval == 0 ? (int)(turn % paths) : -1;
        _isRare = turn / paths % PathChoice.RareExploring == 0;
    }

    /// <summary>Offers a device that is ready.</summary>
    /// <param name="device">Its place, from 0.</param>
    /// <param name="service">What it needs.</param>
    /// <param name="inFlight">On it, without this operation.</param>
    /// <param name="hasRoom">Whether a queue of it is free; one that is full is offered too.</param>
    /// <param name="engines">That it has.</param>
    public void Offer(int device, DeviceService service, int inFlight, bool hasRoom, int engines)
    {
        _isOffered = true;
        long answer = service.Answers.Expect(inFlight + 1);
        if (_unknown < 0 && answer == 0 && hasRoom && inFlight == 0)
        {
            _unknown = device;
        }

        if (device + 1 == _turn && hasRoom)
        {
            (_turnAnswer, _turnInFlight, _isTurnShared) = (answer, inFlight + 1, service.SharesProcessors);
        }

        if (service.SharesProcessors && _choice is not null)
        {
            if (_shared is null || (hasRoom && !_hasSharedRoom))
            {
                (_shared, _sharedDevice, _sharedEngines, _sharedInFlight, _hasSharedRoom) = (service, device, engines, inFlight + 1, hasRoom);
            }
        }
        else if (answer != 0 || _choice is null)
        {
            // Where only devices are asked, one that has an operation and no answer yet comes last.
            answer = answer == 0 ? Unknown + inFlight : answer;
            _bestAlone = Math.Min(_bestAlone, service.Answers.Expect(1));
            if (hasRoom && answer < _bestAnswer)
            {
                (_best, _bestInFlight, _bestAnswer) = (device, inFlight + 1, answer);
            }
        }
    }

    /// <summary>Where the operation goes.</summary>
    public readonly PathTicket Choose()
    {
        if (!_isOffered)
        {
            return ToDevice(-1, 0);
        }

        // What nobody knows yet is tried: first each device, then software.
        if (_unknown >= 0)
        {
            return ToDevice(_unknown, 1) with { IsExploring = true, IsAll = _isAlone };
        }

        if (_choice is null)
        {
            PathTicket only = ToDevice(_best, _bestInFlight);
            return _turn > 0 && _best >= 0 ? Explore(only, _bestAnswer) : only;
        }

        long here = _choice.Software.Expect(_load);
        if (here == 0)
        {
            return ToSoftware(PathDecision.Software) with { IsExploring = true };
        }

        bool isAll = false;
        bool prefersShared = _shared is not null && _choice.PrefersShared(_shared, _sharedEngines, _load, _now, out isAll);
        if (prefersShared && _shared!.ExpectWork(_load, _sharedEngines) is > 0 and long shared)
        {
            here = Math.Min(here, shared);
        }

        bool prefersOther = _bestAlone != long.MaxValue && _choice.PrefersOther(_bestAlone, here);
        PathTicket ticket = prefersOther && _bestAnswer <= here ? ToDevice(_best, _bestInFlight)
            : prefersShared && _hasSharedRoom ? ToDevice(_sharedDevice, _sharedInFlight) with { IsAll = isAll }
            : ToSoftware(prefersOther || prefersShared ? PathDecision.Overflow : PathDecision.Software);
        return _turn < 0 ? ticket : Explore(ticket, here);
    }

    private readonly PathTicket Explore(PathTicket chosen, long here)
    {
        if (chosen.Device + 1 == _turn)
        {
            return chosen;
        }

        long expected = chosen.Device == _best && _best >= 0 ? _bestAnswer : here;
        if (_turn == 0)
        {
            return _isRare || !IsMuchLonger(_choice!.Software.Expect(_load), expected) ? ToSoftware(PathDecision.Software) with { IsExploring = true } : chosen;
        }

        // One operation alone tells nothing of what a device that shares the processors does with many.
        bool isWorthIt = _turnAnswer != 0 && (_isAlone || !_isTurnShared || _choice is null) && (_isRare || !IsMuchLonger(_turnAnswer, expected));
        return isWorthIt ? ToDevice(_turn - 1, _turnInFlight) with { IsExploring = true, IsAll = _isAlone } : chosen;
    }

    private static bool IsMuchLonger(long one, long other) => one / PathChoice.MuchLonger > other;

    private readonly PathTicket ToDevice(int device, int inFlight) => new() { Decision = PathDecision.Device, Device = device, InFlight = inFlight, Load = _load, IsAlone = _isAlone };

    private readonly PathTicket ToSoftware(PathDecision decision) => new() { Decision = decision, Device = -1, Load = _load };
}
