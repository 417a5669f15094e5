using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>What a circuit breaker may do next. It is seen after each step, in which it can do more than one thing.</summary>
internal sealed class BreakerModel
{
    private BreakerState _state = BreakerState.HalfOpen;
    private TimeSpan _retryAt;

    public long Openings { get; private set; }

    public long Closings { get; private set; }

    /// <summary>An operation was given to the device.</summary>
    public void Work(TimeSpan now)
    {
        SimulationFailure.Unless(_state == BreakerState.Closed, "devices get work only when their breaker is closed", $"it is {_state}");
        SimulationFailure.Unless(now >= _retryAt, "devices get work only when their breaker is closed", $"{_retryAt - now} too early");
    }

    /// <summary>After a step.</summary>
    public void Look(BreakerStatus status, TimeSpan now)
    {
        const string Invariant = "breakers go from state to state as they may";
        long openings = status.Openings.Values.Sum();
        bool hasOpened = openings > Openings;
        SimulationFailure.Unless(!hasOpened || status.State == BreakerState.Open, Invariant, $"opened, and is {status.State}");
        SimulationFailure.Unless(hasOpened || status.State != BreakerState.Open || _state == BreakerState.Open, Invariant, "open without an opening");
        bool hasClosed = status.ProbesGood > Closings;
        SimulationFailure.Unless(hasClosed || status.State != BreakerState.Closed || _state == BreakerState.Closed, Invariant, "closed without a probe");
        SimulationFailure.Unless(!hasClosed || _state == BreakerState.HalfOpen, Invariant, $"closed from {_state}");
        SimulationFailure.Unless(_state != BreakerState.Open || status.State == BreakerState.Open || now >= _retryAt, Invariant, $"half-open {_retryAt - now} too early");
        if (hasOpened)
        {
            _retryAt = now + status.RetryIn;
        }

        (_state, Openings, Closings) = (status.State, openings, status.ProbesGood);
    }
}
