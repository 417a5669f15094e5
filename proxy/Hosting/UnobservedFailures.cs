namespace WarpProxy.Hosting;

/// <summary>Logs what failed in tasks that nobody awaits. There should be none; where there is one, it is not lost.</summary>
internal sealed class UnobservedFailures : IDisposable
{
    private readonly ILogger _logger;

    /// <summary>Begins to.</summary>
    public UnobservedFailures(ILogger logger)
    {
        _logger = logger;
        TaskScheduler.UnobservedTaskException += Log;
    }

    /// <inheritdoc/>
    public void Dispose() => TaskScheduler.UnobservedTaskException -= Log;

    private void Log(object? sender, UnobservedTaskExceptionEventArgs failed) => _logger.FailureUnobserved(failed.Exception);
}
