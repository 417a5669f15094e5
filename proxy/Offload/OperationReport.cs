namespace WarpProxy.Offload;

/// <summary>Logs a line a minute with the operations by path, when there were any.</summary>
internal sealed class OperationReport : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly Func<OperationSnapshot> _read;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private OperationSnapshot _reported = OperationSnapshot.Empty;

    /// <summary>Starts it.</summary>
    public OperationReport(Func<OperationSnapshot> read, TimeProvider time, ILogger<OperationReport> logger)
    {
        _read = read;
        _logger = logger;
        _timer = time.CreateTimer(_ => Report(), null, Period, Period);
    }

    /// <summary>Logs what came since the last line, which may be nothing yet at the end.</summary>
    public void Report()
    {
        lock (_gate)
        {
            OperationSnapshot now = _read();
            OperationSnapshot since = now.Since(_reported);
            _reported = now;
            if (since.Device + since.Software + since.Failed.Values.Sum() > 0)
            {
                _logger.OperationsReported(since.ToString());
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
