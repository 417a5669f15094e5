using System.Net.Sockets;

namespace WarpProxy.Admission;

/// <summary>Takes connections from a socket that listens, and pauses where the process may open no more files. One caller at a time.</summary>
/// <param name="accept">Takes one.</param>
/// <param name="time">The clock.</param>
/// <param name="unbound">Cancelled when it listens no more.</param>
/// <param name="onPause">Is told of each pause.</param>
internal sealed class PatientSocket(Func<CancellationToken, ValueTask<Socket>> accept, TimeProvider time, CancellationToken unbound, Action? onPause = null)
{
    /// <summary>How long a pause is.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for the next connection.</summary>
    /// <exception cref="ObjectDisposedException">It listens no more.</exception>
    /// <exception cref="OperationCanceledException">Likewise.</exception>
    public async ValueTask<Socket> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await accept(cancellationToken);
            }
            catch (SocketException) when (unbound.IsCancellationRequested)
            {
                throw new ObjectDisposedException(nameof(PatientSocket));
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                // The connection waits in the kernel; without a pause this would be a busy loop until some file is closed.
                onPause?.Invoke();
                await Task.Delay(Pause, time, unbound);
            }
            catch (SocketException)
            {
                // The client has gone before it was taken.
            }
        }
    }
}
