using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>What is said of a device: each change once. All of it is the supervisor's.</summary>
internal sealed partial class PooledDevice
{
    private long _openingsReported;
    private bool _absenceWasReported;
    private bool _unlockedWasReported;
    private int _queuesGivenUp;             // in this round, with as many operations
    private int _operationsGivenUp;

    private void ReportReady(DeviceQueue device)
    {
        _absenceWasReported = false;
        _logger.DeviceReady(Uri, device.EngineName, device.EngineCount, device.EngineLanes, _lastProbe.Sum(static probe => probe.Latency.TotalMilliseconds));
    }

    private void ReportAbsence(LinuxException e)
    {
        if (!_absenceWasReported && !HasOpenQueue)
        {
            _absenceWasReported = true;
            _logger.DeviceAbsent(Uri, e.Message);
        }
    }

    /// <summary>A device that was there and is no more: the next one that answers in its place has to be probed.</summary>
    private void NoticeLoss()
    {
        if (_breaker.IsClosed && !HasOpenQueue)
        {
            _breaker.Lost();
            if (!_absenceWasReported)
            {
                _absenceWasReported = true;
                _logger.DeviceLost(Uri);
            }
        }
    }

    private void ReportOpening()
    {
        BreakerStatus breaker = _breaker.GetStatus();
        long openings = breaker.Openings.Values.Sum();
        if (openings != _openingsReported)
        {
            _openingsReported = openings;
            _absenceWasReported = false;
            _logger.DeviceQuarantined(Uri, breaker.BackOff.TotalSeconds, breaker.Detail);
        }
    }

    private void ReportHalfOpen() => _logger.DeviceProbed(Uri, _breaker.GetStatus().BackOff.TotalSeconds);

    private void NoticeGivenUp(PooledQueue queue)
    {
        _queuesGivenUp++;
        _operationsGivenUp += queue.InFlight;
    }

    private void ReportGivenUp()
    {
        if (_queuesGivenUp > 0)
        {
            _logger.QueuesGivenUp(Uri, _queuesGivenUp, _operationsGivenUp);
            _queuesGivenUp = 0;
            _operationsGivenUp = 0;
        }
    }

    private void ReportUnlocked()
    {
        if (!_unlockedWasReported && Array.Exists(_queues, static queue => queue.IsUnlocked))
        {
            _unlockedWasReported = true;
            _logger.MemoryNotLocked(Uri);
        }
    }
}
