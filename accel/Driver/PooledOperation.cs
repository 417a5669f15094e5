using WarpDrive.Driver.Paths;

namespace WarpDrive.Driver;

/// <summary>An operation that has begun and has not ended, and the queue that is its own until then. For one thread at a time.</summary>
/// <param name="Device">Whose queue it is.</param>
/// <param name="Queue">Where it was posted.</param>
/// <param name="Meter">What was measured at its beginning.</param>
/// <param name="Timeline">Where its steps are written; null: nobody asks.</param>
internal readonly record struct PooledOperation(PooledDevice Device, PooledQueue Queue, PathMeter Meter, OperationTimeline? Timeline = null);
