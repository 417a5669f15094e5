using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tickets;

/// <summary>
/// Random ticket keys of this process, for all listeners that have no files. Each encrypts for <see cref="TicketOptions.OwnKeyPeriod"/> and decrypts for
/// another, so that a ticket of its last moment has a lifetime of one period too; then it is gone for good.
/// </summary>
internal sealed class OwnTicketKeys : IDisposable
{
    private readonly Lock _gate = new();
    private static readonly TimeSpan RetryTime = TimeSpan.FromMinutes(1);

    private readonly ITimer _timer;
    private bool _isDisposed;

    /// <summary>Makes the first key.</summary>
    public OwnTicketKeys(TimeProvider time)
    {
        _timer = time.CreateTimer(_ => Replace(), null, TicketOptions.OwnKeyPeriod, TicketOptions.OwnKeyPeriod);
    }

    /// <summary>The keys in force.</summary>
    public TlsTicketKeyRing Ring { get; } = new(TlsTicketKeys.CreateRandom());

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer.Dispose();
            Ring.Dispose();
        }
    }

    private void Replace()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            try
            {
                Ring.Replace(Ring.Keys.CreateNext());
                _timer.Change(TicketOptions.OwnKeyPeriod, TicketOptions.OwnKeyPeriod);
            }
            catch (Exception exception) when (exception is LinuxException or OpenSslException)
            {
                // No memory: the key stays a little longer.
                _timer.Change(RetryTime, RetryTime);
            }
        }
    }
}
